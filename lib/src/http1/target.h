// SPDX-License-Identifier: Apache-2.0
// What a request is for: its target and its Host (RFC 9112 3.2).
#pragma once

#include <fairlead/error.h>
#include <fairlead/http.h>

namespace fairlead::http1 {

// Checks `target` and Host, and fills in `path` and `query`. An absolute target replaces Host (RFC 9112 3.2.2). Errors:
// http_malformed, http_host_invalid.
[[nodiscard]] Result<void> resolve_target(Request& request);

}  // namespace fairlead::http1

// SPDX-License-Identifier: Apache-2.0
// The one place where an error becomes an HTTP status.
#pragma once

#include <fairlead/error.h>
#include <fairlead/http.h>

namespace fairlead::http1 {

// 400 for most broken rules, 403, 404, 405, 408, 413, 426, 431, 503, 505 where the RFCs name them, 500 for what is not
// the peer's doing.
[[nodiscard]] int status_for(Errc code) noexcept;

// The answer with that status, a short text, and the fields that the status demands (Allow, Upgrade,
// Sec-WebSocket-Version, Retry-After). The connection should be closed after it.
[[nodiscard]] Response error_response(const Error& error);

}  // namespace fairlead::http1

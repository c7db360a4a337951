// SPDX-License-Identifier: Apache-2.0
// Enforces an OriginPolicy on an opening handshake (RFC 6455 10.2).
#pragma once

#include <fairlead/error.h>
#include <fairlead/http.h>
#include <fairlead/origin.h>

namespace fairlead::ws {

// handshake_origin_denied (403) for an origin that the policy does not allow, http_host_invalid (400) for a Host
// outside of the list. With `same_origin` a request that came by TLS needs an https page; one in cleartext may come
// from an http page or, through a proxy that ended TLS, from an https page.
[[nodiscard]] Result<void> check_origin(const Request& request, const OriginPolicy& policy);

}  // namespace fairlead::ws

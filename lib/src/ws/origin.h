// SPDX-License-Identifier: Apache-2.0
// Enforces an OriginPolicy on an opening handshake (RFC 6455 10.2).
#pragma once

#include <fairlead/error.h>
#include <fairlead/http.h>
#include <fairlead/origin.h>

namespace fairlead::ws {

// http_host_invalid (400) for a Host outside of `policy.hosts`: for every request, upgrade or not. A page that reached
// us under a name of its own (DNS rebinding) has this server as its origin, so no other check would stop it.
[[nodiscard]] Result<void> check_host(const Request& request, const OriginPolicy& policy);

// handshake_origin_denied (403) for an origin that the policy does not allow, http_host_invalid (400) for a Host
// outside of the list. With `same_origin` a request that came by TLS needs an https page; one in cleartext may come
// from an http page or, through a proxy that ended TLS, from an https page.
[[nodiscard]] Result<void> check_origin(const Request& request, const OriginPolicy& policy);

}  // namespace fairlead::ws

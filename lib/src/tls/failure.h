// SPDX-License-Identifier: Apache-2.0
// What went wrong in a handshake or after it, as an Error that says what to do.
#pragma once

#include <fairlead/error.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "tls/openssl.h"

namespace fairlead::tls {

enum class Side : std::uint8_t { server, client };

// The verdict of X509_verify_cert on the peer's certificate. `host`: the name that was asked for, empty on a server.
[[nodiscard]] Error explain_verification(X509_STORE_CTX* store, std::string_view host);

// The newest entry of OpenSSL's error queue, which is emptied.
[[nodiscard]] Error explain_failure(Side side, bool handshaking);

// True when the newest entry says that the peer sent an alert (other than close_notify).
[[nodiscard]] bool failed_by_alert();

}  // namespace fairlead::tls

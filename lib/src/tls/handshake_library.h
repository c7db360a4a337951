// SPDX-License-Identifier: Apache-2.0
// The OpenSSL library context in which handshakes find their algorithms: those of OpenSSL's default provider that TLS
// asks for, but for the key schedule, HMAC, the form of the X25519 key exchange and of ECDSA, and how random bytes are
// fetched, which here cost less around the same mathematics.
#pragma once

#include <openssl/crypto.h>

#include "tls/failure.h"

namespace fairlead::tls {

// One for each side. Null, which is OpenSSL's default context, where an administrator has set up other providers than
// the default one (FIPS, PKCS #11) before the first context is made: then every algorithm is theirs to choose.
[[nodiscard]] OSSL_LIB_CTX* handshake_library(Side side = Side::server);

}  // namespace fairlead::tls

// SPDX-License-Identifier: Apache-2.0
// The OpenSSL library context in which handshakes find their algorithms: those of OpenSSL's default provider, but for
// the key schedule, and without ciphers that no suite of ours has: every key object that a handshake makes costs
// OpenSSL a walk past all names that its context knows.
#pragma once

#include <openssl/crypto.h>

namespace fairlead::tls {

// One for the process. Null, which is OpenSSL's default context, where an administrator has set up other providers than
// the default one (FIPS, PKCS #11): then every algorithm is theirs to choose.
[[nodiscard]] OSSL_LIB_CTX* handshake_library();

}  // namespace fairlead::tls

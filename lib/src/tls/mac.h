// SPDX-License-Identifier: Apache-2.0
// HMAC in the form in which OpenSSL asks a provider for it: of the Finished messages (RFC 8446 4.4.4) and of session
// tickets. Over SHA-256 and SHA-384, which are all that the suites of the handshakes need; another digest is refused.
#pragma once

#include <openssl/core.h>

#include <optional>

#include "tls/record/hmac.h"

namespace fairlead::tls {

// By any of the names that OpenSSL has for it.
[[nodiscard]] std::optional<record::Hash> hash_named(const char* name);

extern const OSSL_DISPATCH hmac_functions[];  // NOLINT: OpenSSL's form

}  // namespace fairlead::tls

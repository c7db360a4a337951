// SPDX-License-Identifier: Apache-2.0
// The binder of a resumption (RFC 8446 4.2.11.2), which is the HMAC of a hash. OpenSSL's TLS computes it as a signature
// by a key of the kind "HMAC": here are both in the form in which it asks a provider for them, over our own HMAC,
// without the look-ups by name, locks and contexts that OpenSSL's have for any use of such a key.
#pragma once

#include <openssl/core.h>

namespace fairlead::tls {

extern const OSSL_DISPATCH binder_key_functions[];        // NOLINT: OpenSSL's form. OSSL_OP_KEYMGMT
extern const OSSL_DISPATCH binder_signature_functions[];  // NOLINT: likewise. OSSL_OP_SIGNATURE

}  // namespace fairlead::tls

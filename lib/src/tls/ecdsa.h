// SPDX-License-Identifier: Apache-2.0
// ECDSA as the server of a handshake uses it (CertificateVerify, RFC 8446 4.4.3): OpenSSL's TLS prepares the signature
// twice, the first time only to see whether the key can do it, and then signs one text in one call. OpenSSL's provider
// looks the digest up by all of its names for each preparation. Here the text is hashed in the call that signs, and
// that provider signs the hash; what else is done with ECDSA is passed on to it.
#pragma once

#include <openssl/core.h>
#include <openssl/types.h>

namespace fairlead::tls {

// OSSL_OP_SIGNATURE, once for the process. Null where OpenSSL's provider has no ECDSA in the form that is needed.
[[nodiscard]] const OSSL_DISPATCH* make_ecdsa(OSSL_PROVIDER* provider);

}  // namespace fairlead::tls

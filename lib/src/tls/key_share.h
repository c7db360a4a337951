// SPDX-License-Identifier: Apache-2.0
// X25519 (RFC 7748, RFC 8446 4.2.8.2) as handshakes use it, at a smaller cost than that of OpenSSL 3.0's provider:
//
// - A fresh key is multiplied with the base point by libsodium (15 µs instead of 37).
// - A server answers a share by one call. OpenSSL's TLS 1.3 knows two ways to do that: for a Diffie-Hellman group it
// makes
//   a key, encodes it, validates the peer's and derives, each through a context of its own; for a key encapsulation it
//   makes one call. What is computed and what is on the wire is the same: the "ciphertext" is our fresh public key. For
//   servers alone, see handshake_library.cc.
//
// Keys are objects of OpenSSL's provider, and the shared secret is computed by it.
#pragma once

#include <openssl/core.h>
#include <openssl/types.h>

#include <optional>

namespace fairlead::tls {

inline constexpr unsigned x25519_group = 0x001d;  // RFC 8446 4.2.7

struct KeyShare {
  const OSSL_ALGORITHM* upstream;      // the keys of OpenSSL's provider, which `keys` replaces
  const OSSL_DISPATCH* keys;           // OSSL_OP_KEYMGMT
  const OSSL_DISPATCH* encapsulation;  // OSSL_OP_KEM. Null where OpenSSL has one of another kind (RFC 9180, since 3.2)
};

// Once for the process. nullopt where OpenSSL's provider has no X25519, or not in the form that is needed.
[[nodiscard]] std::optional<KeyShare> make_key_share(OSSL_PROVIDER* provider);

}  // namespace fairlead::tls

// SPDX-License-Identifier: Apache-2.0
// AES-GCM through Intel's multi-buffer library: its calls for a single packet, which cost a fraction of EVP's for small
// records. x86-64 alone; elsewhere `fast_gcm_available` is false and nothing else is called.
#pragma once

#include <fairlead/bytes.h>

#include <cstddef>

#include "tls/record/traffic_keys.h"

namespace fairlead::tls::record {

inline constexpr std::size_t fast_gcm_key_bytes = 1024;  // of an expanded key, aligned to a cache line
inline constexpr std::size_t fast_gcm_alignment = 64;

// The library was built in, this machine has the instructions, and the library's self-test passed.
[[nodiscard]] bool fast_gcm_available() noexcept;

// Expands a key of 16 or 32 bytes into `expanded`.
void fast_gcm_expand(Bytes key, std::byte* expanded) noexcept;

// What the calls below work with. `aes_256`: which of the two the key is for.
struct FastGcmCall {
  const std::byte* expanded;
  const Nonce& nonce;
  Bytes header;  // the additional data
  bool aes_256;
};

// `out` gets as many bytes as `in` has (and may be the same place), `tag` 16.
void fast_gcm_seal(const FastGcmCall& call, Bytes in, std::byte* out, std::byte* tag) noexcept;
// The same for `in` with one more byte `last` behind it, which saves the caller a copy.
void fast_gcm_seal_with(const FastGcmCall& call, Bytes in, std::byte last, std::byte* out, std::byte* tag) noexcept;
// Gives the tag that the ciphertext should have; nothing is known about `out` until it was compared.
void fast_gcm_open(const FastGcmCall& call, Bytes in, std::byte* out, std::byte* tag) noexcept;

}  // namespace fairlead::tls::record

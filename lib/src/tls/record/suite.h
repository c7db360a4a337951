// SPDX-License-Identifier: Apache-2.0
// The cipher suites of TLS 1.3 that the project negotiates (RFC 8446 B.4), and the sizes that follow from them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace fairlead::tls::record {

enum class Suite : std::uint8_t { aes_128_gcm_sha256, aes_256_gcm_sha384, chacha20_poly1305_sha256 };

inline constexpr std::size_t tag_bytes = 16;    // RFC 5116 5.1, RFC 8439 2.8
inline constexpr std::size_t nonce_bytes = 12;  // RFC 8446 5.3: the IV has this length, too
inline constexpr std::size_t longest_key_bytes = 32;
inline constexpr std::size_t longest_secret_bytes = 48;

// By the number in the ServerHello.
[[nodiscard]] constexpr std::optional<Suite> suite_of(std::uint16_t number) noexcept {
  switch (number) {
    case 0x1301:
      return Suite::aes_128_gcm_sha256;
    case 0x1302:
      return Suite::aes_256_gcm_sha384;
    case 0x1303:
      return Suite::chacha20_poly1305_sha256;
    default:
      return std::nullopt;
  }
}

[[nodiscard]] constexpr std::size_t key_bytes(Suite suite) noexcept {
  return suite == Suite::aes_128_gcm_sha256 ? 16 : longest_key_bytes;
}

// RFC 8446 7.1: secrets are as long as the hash.
[[nodiscard]] constexpr std::size_t secret_bytes(Suite suite) noexcept {
  return suite == Suite::aes_256_gcm_sha384 ? longest_secret_bytes : 32;
}

}  // namespace fairlead::tls::record

// SPDX-License-Identifier: Apache-2.0
// SHA-2 by OpenSSL, and HMAC (RFC 2104) over it. Allocates nothing; what it leaves behind is wiped.
#pragma once

#include <fairlead/bytes.h>
#include <openssl/sha.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <variant>

namespace fairlead::tls::record {

// Of the suites of TLS 1.3.
enum class Hash : std::uint8_t { sha256, sha384 };

inline constexpr std::size_t longest_hash_bytes = SHA384_DIGEST_LENGTH;
[[nodiscard]] constexpr std::size_t hash_bytes(Hash hash) noexcept {
  return hash == Hash::sha384 ? SHA384_DIGEST_LENGTH : SHA256_DIGEST_LENGTH;
}

// `out` has hash_bytes(hash) bytes.
void hash(Hash hash, Bytes text, MutableBytes out) noexcept;

// H(K XOR opad, H(K XOR ipad, text)), the text in any pieces.
class Hmac {
 public:
  Hmac(Hash hash, Bytes key) noexcept;
  Hmac(const Hmac&) = default;  // goes on from here, too
  Hmac& operator=(const Hmac&) = delete;
  ~Hmac();

  [[nodiscard]] std::size_t size() const noexcept;
  void add(Bytes text) noexcept;
  void finish(MutableBytes out) noexcept;  // once; `out` has size() bytes

 private:
  template <class State>
  void start(Bytes key) noexcept;

  std::variant<SHA256_CTX, SHA512_CTX> inner_;      // H(K XOR ipad, text so far)
  std::array<std::byte, SHA512_CBLOCK> outer_pad_;  // K XOR opad
};

}  // namespace fairlead::tls::record

// SPDX-License-Identifier: Apache-2.0
#include "api/secrets.h"

#include <fairlead/error.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <array>
#include <cstdlib>
#include <span>

namespace fairlead::server {
namespace {

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string to_hex(std::span<const unsigned char> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const auto byte : bytes) {
    hex.push_back(digits[byte >> 4U]);
    hex.push_back(digits[byte & 15U]);
  }
  return hex;
}

Digest digest_of(std::string_view text) {
  Digest digest{};
  SHA256(bytes_of(text), text.size(), digest.data());
  return digest;
}

}  // namespace

// Digests have one length and say nothing about where the texts differ.
bool equal_secrets(std::string_view shown, std::string_view expected) {
  const auto a = digest_of(shown);
  const auto b = digest_of(expected);
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string hmac_sha256_hex(std::string_view secret, std::string_view message) {
  Digest digest{};
  unsigned int length = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes_of(message), message.size(), digest.data(),
       &length);
  return to_hex({digest.data(), length});
}

std::string random_hex(std::size_t bytes) {
  std::basic_string<unsigned char> random(bytes, 0);
  // Without randomness no secret can be made: going on would be worse than ending.
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) std::abort();
  return to_hex(random);
}

std::string webhook_signature(std::string_view secret, std::string_view timestamp, std::string_view body) {
  std::string message(timestamp);
  message.append(".").append(body);
  return hmac_sha256_hex(secret, message);
}

}  // namespace fairlead::server

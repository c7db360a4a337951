// SPDX-License-Identifier: Apache-2.0
#include "auth/public_key.h"

#include "auth/jose.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace fairlead::server {
namespace {

constexpr std::string_view blanks = " \t\r\n";

// Of either alphabet, in lines or not, with padding or without it.
std::optional<std::string> decode_leniently(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    if (blanks.contains(c) || c == '=') continue;
    plain += c == '+' ? '-' : c == '/' ? '_' : c;
  }
  return decode_base64url(plain);
}

// All of the bytes are what `decode` (a d2i_… of OpenSSL) reads.
template <class Decode, class Free>
bool is_der(std::string_view bytes, Decode decode, Free free) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): a C library's idea of bytes.
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto* const end = at + bytes.size();
  auto* const read = decode(nullptr, &at, static_cast<long>(bytes.size()));
  if (read == nullptr) return false;
  free(read);
  return at == end;
}

// RFC 5280 4.1: SubjectPublicKeyInfo, Certificate. RFC 8017 A.1.1: RSAPublicKey.
bool is_der_of_public_key(std::string_view bytes) {
  const auto rsa = [](EVP_PKEY** out, const unsigned char** at, long size) {
    return d2i_PublicKey(EVP_PKEY_RSA, out, at, size);
  };
  ERR_set_mark();
  const bool is_key = is_der(bytes, d2i_PUBKEY, EVP_PKEY_free) || is_der(bytes, rsa, EVP_PKEY_free) ||
                      is_der(bytes, d2i_X509, X509_free);
  ERR_pop_to_mark();
  return is_key;
}

bool is_ssh_algorithm(std::string_view name) {
  static constexpr std::array<std::string_view, 4> beginnings{"ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"};
  return std::ranges::any_of(beginnings, [&](std::string_view one) { return name.starts_with(one); });
}

// RFC 4253 6.6: the key begins with the length of its algorithm's name, in four bytes, and the name.
bool is_ssh_key(std::string_view word) {
  constexpr std::size_t enough = 24;  // digits, for the length and every beginning of a name
  const auto decoded = decode_leniently(word.substr(0, enough));
  if (!decoded) return false;
  const std::string_view bytes = *decoded;
  return bytes.size() > 4 && bytes.starts_with(std::string_view("\0\0\0", 3)) && is_ssh_algorithm(bytes.substr(4));
}

// One word of a line is the key; what stands before and behind it says what it is for.
bool has_ssh_key(std::string_view line) {
  for (std::size_t begin = line.find_first_not_of(blanks); begin != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(blanks, begin), line.size());
    if (is_ssh_key(line.substr(begin, end - begin))) return true;
    begin = line.find_first_not_of(blanks, end);
  }
  return false;
}

}  // namespace

bool looks_like_public_key(std::string_view secret) {
  const auto first = secret.find_first_not_of(blanks);
  if (first == std::string_view::npos) return false;
  const bool json = secret[first] == '{' && secret.find("\"kty\"") != std::string_view::npos;
  if (json || secret.contains("-----BEGIN ") || has_ssh_key(secret)) return true;
  if (is_der_of_public_key(secret)) return true;
  const auto bytes = decode_leniently(secret);
  return bytes && is_der_of_public_key(*bytes);
}

}  // namespace fairlead::server

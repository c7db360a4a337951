// SPDX-License-Identifier: Apache-2.0
// Keys and tokens for tests, and what a verifier says about them.
#pragma once

#include "auth/jose.h"
#include "auth/tokens.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <rhonabwy.h>

#include <array>
#include <chrono>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace fairlead::server::token_testing {

inline const WallTime now{std::chrono::seconds(1'700'000'000)};
inline constexpr const char* secret = "the secret of the tests, long enough";

inline std::string encoded(std::string_view bytes) {
  static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  unsigned bits = 0;
  unsigned waiting = 0;
  for (const char c : bytes) {
    bits = bits << 8U | static_cast<unsigned char>(c);
    for (waiting += 8; waiting >= 6; waiting -= 6) text += digits[bits >> (waiting - 6) & 63U];
    bits &= 0xffU;
  }
  if (waiting > 0) text += digits[bits << (6 - waiting) & 63U];
  return text;
}

struct Pair {
  std::string secret_pem, public_pem;
};
inline Pair pem_of(EVP_PKEY* key) {
  const auto text = [](auto&& write) {
    BIO* bio = BIO_new(BIO_s_mem());
    write(bio);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string result(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    return result;
  };
  Pair pair{text([&](BIO* bio) { PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr); }),
            text([&](BIO* bio) { PEM_write_bio_PUBKEY(bio, key); })};
  EVP_PKEY_free(key);
  return pair;
}
inline const Pair& rsa_pair() {
  static const Pair pair = pem_of(EVP_RSA_gen(2048));
  return pair;
}
inline const Pair& other_rsa_pair() {
  static const Pair pair = pem_of(EVP_RSA_gen(2048));
  return pair;
}
inline const Pair& ec_pair(const char* curve = "P-256") {
  static std::map<std::string, Pair> pairs;
  if (!pairs.contains(curve)) pairs.emplace(curve, pem_of(EVP_EC_gen(curve)));
  return pairs.at(curve);
}
inline const Pair& ed_pair() {
  static const Pair pair = pem_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  return pair;
}
inline std::string jwk_of(const std::string& public_pem, const std::string& kid, const std::string& more = {}) {
  jwk_t* key = nullptr;
  r_jwk_init(&key);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): a C library's idea of bytes.
  const auto* bytes = reinterpret_cast<const unsigned char*>(public_pem.data());
  r_jwk_import_from_pem_der(key, R_X509_TYPE_PUBKEY, R_FORMAT_PEM, bytes, public_pem.size());
  r_jwk_set_property_str(key, "kid", kid.c_str());
  char* text = r_jwk_export_to_json_str(key, 0);
  std::string json = text;
  r_free(text);
  r_jwk_free(key);
  json.pop_back();
  return json + more + "}";
}

inline std::string hmac_token(const std::string& header, const std::string& claims, const std::string& key = secret) {
  const std::string signed_text = encoded(header) + "." + encoded(claims);
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned length = 0;
  // NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): a C library's idea of bytes.
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(signed_text.data()), signed_text.size(), mac.data(), &length);
  return signed_text + "." + encoded({reinterpret_cast<const char*>(mac.data()), length});
  // NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)
}
inline std::string token(const std::string& claims) { return sign_token(Algorithm::hs256, secret, claims).value(); }

inline TokenSettings hmac_settings() {
  TokenSettings settings;
  settings.hmac_secret_key = secret;
  return settings;
}

using Judgement = std::expected<ConnectionClaims, TokenFault>;
inline Judgement judged(const TokenSettings& settings, const std::string& text, WallTime at = now) {
  const auto verifier = TokenVerifier::make(settings, {});
  if (!verifier) return std::unexpected(TokenFault{false, "no verifier: " + verifier.error().sentence, false});
  Judgement result = std::unexpected(TokenFault{false, "no answer", false});
  (*verifier)->connection(text, at, [&](Judgement answer) { result = std::move(answer); });
  return result;
}
inline std::expected<SubscriptionClaims, TokenFault> judged_subscription(const std::string& claims) {
  const auto verifier = TokenVerifier::make(hmac_settings(), {});
  std::expected<SubscriptionClaims, TokenFault> result = std::unexpected(TokenFault{false, "no answer", false});
  (*verifier)->subscription(token(claims), now, [&](auto answer) { result = std::move(answer); });
  return result;
}
inline std::string why(const Judgement& judgement) {
  return judgement ? "accepted" : judgement.error().expired ? "expired" : judgement.error().why;
}
inline std::string why_claims(const std::string& claims) { return why(judged(hmac_settings(), token(claims))); }

}  // namespace fairlead::server::token_testing

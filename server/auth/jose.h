// SPDX-License-Identifier: Apache-2.0
// Signed tokens in their compact form (RFC 7515) and the keys that they are verified with. The library rhonabwy does
// the cryptography; what it is lenient about is checked here before it sees a token:
//  - which of `alg` a key is good for, by its family and curve (it decides by the signature's length alone),
//  - `crit`, `zip` (it would inflate without a bound), `b64`, keys inside of headers, members that are there twice,
//  - the alphabet and the last bits of base64url,
//  - and HMAC is computed and compared by OpenSSL: rhonabwy compares with strcmp, whose time tells how far it came.
#pragma once

#include "model/done.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::server {

enum class KeyFamily : std::uint8_t { hmac, rsa, ec, ed25519 };
enum class Algorithm : std::uint8_t { hs256, hs384, hs512, rs256, rs384, rs512, es256, es384, es512, eddsa };
[[nodiscard]] KeyFamily family_of(Algorithm algorithm) noexcept;
[[nodiscard]] std::string_view name(Algorithm algorithm) noexcept;  // "HS256"
// Exactly these names; there is no `none`.
[[nodiscard]] std::optional<Algorithm> algorithm_of(std::string_view name) noexcept;

inline constexpr std::size_t token_limit_bytes = std::size_t{16} * 1024;

// Taken apart, not yet believed.
struct ParsedToken {
  std::string text;
  Algorithm algorithm = Algorithm::hs256;
  std::string key_id;        // empty: not said
  std::size_t signed_bytes;  // of `text`: header and payload
  std::string header;        // decoded JSON
  std::string payload;       // decoded
  std::string signature;     // decoded
};
// The error names the rule and holds nothing of the token.
[[nodiscard]] std::expected<ParsedToken, std::string> parse_token(std::string token);

// A key for verifying. Immutable; may be used by several threads at once. Secrets are wiped at the end.
class VerificationKey {
 public:
  [[nodiscard]] static std::expected<VerificationKey, std::string> hmac(std::string_view secret);
  // RSA of at least 2048 bits, P-256, P-384, P-521, or Ed25519.
  [[nodiscard]] static std::expected<VerificationKey, std::string> pem(std::string_view text, KeyFamily family);
  // One member of a set. Private and symmetric ones are refused: a set is public.
  [[nodiscard]] static std::expected<VerificationKey, std::string> jwk(std::string_view json);

  [[nodiscard]] const std::string& id() const noexcept;
  [[nodiscard]] KeyFamily family() const noexcept;
  [[nodiscard]] bool is_for(Algorithm algorithm) const noexcept;
  // False also when the key is not for the token's algorithm.
  [[nodiscard]] bool verifies(const ParsedToken& token) const;

 private:
  struct Body;
  explicit VerificationKey(std::shared_ptr<const Body> body) : body_(std::move(body)) {}
  std::shared_ptr<const Body> body_;
};

// A new token. `key`: the secret, or a private key in PEM.
[[nodiscard]] Outcome<std::string> sign_token(Algorithm algorithm, std::string_view key, std::string_view claims_json,
                                              std::string_view key_id = {});

// Strict: no padding for the URL alphabet, padding for the other one, no stray bits, nothing between.
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

}  // namespace fairlead::server

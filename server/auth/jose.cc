// SPDX-License-Identifier: Apache-2.0
#include "auth/jose.h"

#include "auth/public_key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <rhonabwy.h>
#include <simdjson.h>

#include <array>
#include <cstdlib>
#include <mutex>
#include <set>
#include <utility>

namespace fairlead::server {
namespace {

struct AlgorithmRow {
  Algorithm algorithm;
  std::string_view name;
  KeyFamily family;
  jwa_alg number;
  std::string_view curve;  // of elliptic keys
};
constexpr std::array<AlgorithmRow, 10> algorithms{{
    {Algorithm::hs256, "HS256", KeyFamily::hmac, R_JWA_ALG_HS256, ""},
    {Algorithm::hs384, "HS384", KeyFamily::hmac, R_JWA_ALG_HS384, ""},
    {Algorithm::hs512, "HS512", KeyFamily::hmac, R_JWA_ALG_HS512, ""},
    {Algorithm::rs256, "RS256", KeyFamily::rsa, R_JWA_ALG_RS256, ""},
    {Algorithm::rs384, "RS384", KeyFamily::rsa, R_JWA_ALG_RS384, ""},
    {Algorithm::rs512, "RS512", KeyFamily::rsa, R_JWA_ALG_RS512, ""},
    {Algorithm::es256, "ES256", KeyFamily::ec, R_JWA_ALG_ES256, "P-256"},
    {Algorithm::es384, "ES384", KeyFamily::ec, R_JWA_ALG_ES384, "P-384"},
    {Algorithm::es512, "ES512", KeyFamily::ec, R_JWA_ALG_ES512, "P-521"},
    {Algorithm::eddsa, "EdDSA", KeyFamily::ed25519, R_JWA_ALG_EDDSA, "Ed25519"},
}};
constexpr unsigned smallest_rsa_bits = 2048;  // RFC 7518 3.3: a key of 2048 bits or larger MUST be used
constexpr std::size_t header_depth = 8;
constexpr std::size_t longest_key_id_bytes = 256;

const AlgorithmRow& row_of(Algorithm algorithm) noexcept { return algorithms.at(static_cast<std::size_t>(algorithm)); }

struct JwkFree {
  void operator()(jwk_t* key) const noexcept { r_jwk_free(key); }
};
struct JwsFree {
  void operator()(jws_t* token) const noexcept { r_jws_free(token); }
};
struct TextFree {
  // rhonabwy's strings come from its allocator, which is the C library's.
  void operator()(char* text) const noexcept { r_free(text); }
};
using Jwk = std::unique_ptr<jwk_t, JwkFree>;
using Jws = std::unique_ptr<jws_t, JwsFree>;

void start_library() {
  static std::once_flag once;
  std::call_once(once, [] { (void)r_global_init(); });
}
Jwk new_jwk() {
  start_library();
  jwk_t* key = nullptr;
  return r_jwk_init(&key) == RHN_OK ? Jwk(key) : Jwk();
}
Jws new_jws() {
  start_library();
  jws_t* token = nullptr;
  return r_jws_init(&token) == RHN_OK ? Jws(token) : Jws();
}
const unsigned char* bytes_of(std::string_view text) noexcept {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): a C library's idea of bytes.
  return reinterpret_cast<const unsigned char*>(text.data());
}
std::string_view property(jwk_t* key, const char* name) noexcept {
  const char* text = r_jwk_get_property_str(key, name);
  return text == nullptr ? std::string_view() : std::string_view(text);
}

// ── Headers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

std::expected<void, std::string> read_member(ParsedToken& token, std::string_view key, simdjson::dom::element value) {
  std::string_view text;
  const bool is_text = value.get(text) == simdjson::SUCCESS;
  // RFC 7515 4.1.11: what is critical and not understood makes the signature invalid. Nothing of the rest is served.
  if (key == "crit" || key == "b64" || key == "zip" || key == "enc")
    return std::unexpected("the header has a member that is not served");
  if (key == "alg") {
    const auto algorithm = is_text ? algorithm_of(text) : std::nullopt;
    if (!algorithm) return std::unexpected("the algorithm is not one of those that are served");
    token.algorithm = *algorithm;
  } else if (key == "kid") {
    if (!is_text || text.size() > longest_key_id_bytes) return std::unexpected("the id of the key is no short string");
    token.key_id = text;
  }
  return {};
}

std::expected<void, std::string> read_header(ParsedToken& token) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.allocate(token.header.size() + 1, header_depth) != simdjson::SUCCESS ||
      parser.parse(token.header).get(object) != simdjson::SUCCESS)
    return std::unexpected("the header is no JSON object");
  std::set<std::string_view> seen;
  for (const auto& [key, value] : object) {
    // RFC 7515 4: names within the header MUST be unique.
    if (!seen.insert(key).second) return std::unexpected("the header has a member twice");
    if (auto read = read_member(token, key, value); !read) return read;
  }
  if (!seen.contains("alg")) return std::unexpected("the header names no algorithm");
  return {};
}

}  // namespace

KeyFamily family_of(Algorithm algorithm) noexcept { return row_of(algorithm).family; }

std::string_view name(Algorithm algorithm) noexcept { return row_of(algorithm).name; }

std::optional<Algorithm> algorithm_of(std::string_view name) noexcept {
  for (const AlgorithmRow& row : algorithms)
    if (row.name == name) return row.algorithm;
  return std::nullopt;
}

std::expected<ParsedToken, std::string> parse_token(std::string token) {
  if (token.size() > token_limit_bytes) return std::unexpected("the token is too long");
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string::npos ? first : token.find('.', first + 1);
  if (second == std::string::npos || token.find('.', second + 1) != std::string::npos)
    return std::unexpected("the token has not three parts");
  const std::string_view text = token;
  auto header = decode_base64url(text.substr(0, first));
  auto payload = decode_base64url(text.substr(first + 1, second - first - 1));
  auto signature = decode_base64url(text.substr(second + 1));
  if (!header || !payload || !signature || header->empty() || payload->empty() || signature->empty())
    return std::unexpected("a part of the token is empty or not base64url");
  ParsedToken parsed{std::move(token),    Algorithm::hs256,     {}, second, std::move(*header),
                     std::move(*payload), std::move(*signature)};
  if (auto read = read_header(parsed); !read) return std::unexpected(read.error());
  return parsed;
}

// ── Keys ────────────────────────────────────────────────────────────────────────────────────────────────────────────

struct VerificationKey::Body {
  KeyFamily family = KeyFamily::hmac;
  std::string id;
  std::string secret;                  // of HMAC
  Jwk key;                             // of the others
  std::string curve;                   // of elliptic ones
  std::optional<Algorithm> algorithm;  // the only one that it is for, when that is said

  Body() = default;
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;
  ~Body() { OPENSSL_cleanse(secret.data(), secret.size()); }
};

namespace {

using Refused = std::unexpected<std::string>;

bool hmac_matches(std::string_view secret, const ParsedToken& token) {
  const EVP_MD* digest = token.algorithm == Algorithm::hs256   ? EVP_sha256()
                         : token.algorithm == Algorithm::hs384 ? EVP_sha384()
                                                               : EVP_sha512();
  std::array<unsigned char, EVP_MAX_MD_SIZE> computed{};
  unsigned length = 0;
  if (HMAC(digest, secret.data(), static_cast<int>(secret.size()), bytes_of(token.text), token.signed_bytes,
           computed.data(), &length) == nullptr)
    return false;
  // The length is known from the algorithm; what is compared takes the same time whatever it holds.
  return token.signature.size() == length && CRYPTO_memcmp(computed.data(), token.signature.data(), length) == 0;
}

bool library_verifies(jwk_t* key, const ParsedToken& token) {
  const Jws jws = new_jws();
  if (!jws) return false;
  // No key inside of the header is looked at, and nothing is fetched.
  if (r_jws_advanced_compact_parsen(jws.get(), token.text.c_str(), token.text.size(), R_PARSE_NONE,
                                    R_FLAG_IGNORE_REMOTE) != RHN_OK)
    return false;
  if (r_jws_get_alg(jws.get()) != row_of(token.algorithm).number) return false;
  return r_jws_verify_signature(jws.get(), key, R_FLAG_IGNORE_REMOTE) == RHN_OK;
}

}  // namespace

const std::string& VerificationKey::id() const noexcept { return body_->id; }
KeyFamily VerificationKey::family() const noexcept { return body_->family; }
bool VerificationKey::is_for(Algorithm algorithm) const noexcept {
  const AlgorithmRow& row = row_of(algorithm);
  if (row.family != body_->family || (!row.curve.empty() && row.curve != body_->curve)) return false;
  return !body_->algorithm || *body_->algorithm == algorithm;
}

bool VerificationKey::verifies(const ParsedToken& token) const {
  if (!is_for(token.algorithm)) return false;
  if (body_->family == KeyFamily::hmac) return hmac_matches(body_->secret, token);
  return library_verifies(body_->key.get(), token);
}

std::expected<VerificationKey, std::string> VerificationKey::hmac(std::string_view secret) {
  if (secret.empty()) return Refused("the secret of HMAC is empty");
  if (looks_like_public_key(secret))
    return Refused("a public key is no secret for HMAC, nor is a key in PEM or JWK form");
  auto body = std::make_shared<Body>();
  body->secret = secret;
  return VerificationKey(std::move(body));
}

namespace {

// What the library says about a key that it has read.
std::expected<KeyFamily, std::string> checked_family(jwk_t* key) {
  unsigned bits = 0;
  const int type = r_jwk_key_type(key, &bits, R_FLAG_IGNORE_REMOTE);
  if ((type & R_KEY_TYPE_PUBLIC) == 0 || (type & (R_KEY_TYPE_PRIVATE | R_KEY_TYPE_SYMMETRIC)) != 0)
    return Refused("is no public key");
  if ((type & R_KEY_TYPE_RSA) != 0) {
    if (bits < smallest_rsa_bits) return Refused("is an RSA key of less than 2048 bits");
    return KeyFamily::rsa;
  }
  const auto curve = property(key, "crv");
  if ((type & R_KEY_TYPE_EC) != 0 && (curve == "P-256" || curve == "P-384" || curve == "P-521")) return KeyFamily::ec;
  if ((type & R_KEY_TYPE_EDDSA) != 0 && curve == "Ed25519") return KeyFamily::ed25519;
  return Refused("is a key of a kind that is not served");
}

}  // namespace

std::expected<VerificationKey, std::string> VerificationKey::pem(std::string_view text, KeyFamily family) {
  auto body = std::make_shared<Body>();
  body->key = new_jwk();
  if (!body->key || r_jwk_import_from_pem_der(body->key.get(), R_X509_TYPE_PUBKEY, R_FORMAT_PEM, bytes_of(text),
                                              text.size()) != RHN_OK)
    return Refused("is no public key in PEM");
  const auto found = checked_family(body->key.get());
  if (!found) return Refused(found.error());
  if (*found != family) return Refused("is a key of another kind");
  body->family = family;
  body->curve = property(body->key.get(), "crv");
  return VerificationKey(std::move(body));
}

std::expected<VerificationKey, std::string> VerificationKey::jwk(std::string_view json) {
  auto body = std::make_shared<Body>();
  body->key = new_jwk();
  if (!body->key || r_jwk_import_from_json_str(body->key.get(), std::string(json).c_str()) != RHN_OK)
    return Refused("is no JWK");
  const auto found = checked_family(body->key.get());
  if (!found) return Refused(found.error());
  const auto use = property(body->key.get(), "use");
  if (!use.empty() && use != "sig") return Refused("is not for signatures");
  if (const auto algorithm = property(body->key.get(), "alg"); !algorithm.empty()) {
    body->algorithm = algorithm_of(algorithm);
    if (!body->algorithm || family_of(*body->algorithm) != *found)
      return Refused("is for an algorithm of another kind");
  }
  body->family = *found;
  body->curve = property(body->key.get(), "crv");
  body->id = property(body->key.get(), "kid");
  return VerificationKey(std::move(body));
}

// ── Making tokens ───────────────────────────────────────────────────────────────────────────────────────────────────

Outcome<std::string> sign_token(Algorithm algorithm, std::string_view key, std::string_view claims_json,
                                std::string_view key_id) {
  const auto failed = [](std::string why) { return std::unexpected(Fault{FaultKind::invalid, std::move(why)}); };
  const bool symmetric = family_of(algorithm) == KeyFamily::hmac;
  if (symmetric && looks_like_public_key(key))
    return failed("a public key is no secret for HMAC, nor is a key in PEM or JWK form");
  const Jwk jwk = new_jwk();
  const Jws jws = new_jws();
  if (!jwk || !jws) return failed("there is no memory for a token");
  const int read =
      symmetric ? r_jwk_import_from_symmetric_key(jwk.get(), bytes_of(key), key.size())
                : r_jwk_import_from_pem_der(jwk.get(), R_X509_TYPE_PRIVKEY, R_FORMAT_PEM, bytes_of(key), key.size());
  if (key.empty() || read != RHN_OK) return failed("the key cannot be read");
  const AlgorithmRow& row = row_of(algorithm);
  if (!row.curve.empty() && property(jwk.get(), "crv") != row.curve) return failed("the key is not for this algorithm");
  // The library derives an id from the key and would write it into the header.
  (void)r_jwk_delete_property_str(jwk.get(), "kid");
  (void)r_jws_set_header_str_value(jws.get(), "typ", "JWT");
  if (!key_id.empty()) (void)r_jws_set_header_str_value(jws.get(), "kid", std::string(key_id).c_str());
  if (r_jws_set_alg(jws.get(), row.number) != RHN_OK ||
      r_jws_set_payload(jws.get(), bytes_of(claims_json), claims_json.size()) != RHN_OK)
    return failed("the token cannot be written");
  const std::unique_ptr<char, TextFree> text(r_jws_serialize(jws.get(), jwk.get(), R_FLAG_IGNORE_REMOTE));
  if (!text) return failed("the key is not for this algorithm");
  return std::string(text.get());
}

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
#include "auth/tokens.h"

#include "auth/foreign_tokens_testing.h"
#include "auth/jose.h"
#include "auth/tokens_testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fairlead::server {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using namespace token_testing;

// ── Algorithms ──────────────────────────────────────────────────────────────────────────────────────────────────────

struct OwnCase {
  Algorithm algorithm;
  std::string key;
  TokenSettings settings;
};
std::vector<OwnCase> own_cases() {
  std::vector<OwnCase> cases;
  for (const auto algorithm : {Algorithm::hs256, Algorithm::hs384, Algorithm::hs512})
    cases.push_back({algorithm, secret, hmac_settings()});
  for (const auto algorithm : {Algorithm::rs256, Algorithm::rs384, Algorithm::rs512}) {
    cases.push_back({algorithm, rsa_pair().secret_pem, {}});
    cases.back().settings.rsa_public_key = rsa_pair().public_pem;
  }
  const std::pair<Algorithm, const char*> curves[] = {
      {Algorithm::es256, "P-256"}, {Algorithm::es384, "P-384"}, {Algorithm::es512, "P-521"}};
  for (const auto& [algorithm, curve] : curves) {
    cases.push_back({algorithm, ec_pair(curve).secret_pem, {}});
    cases.back().settings.ecdsa_public_key = ec_pair(curve).public_pem;
  }
  cases.push_back({Algorithm::eddsa, ed_pair().secret_pem, {}});
  cases.back().settings.ed25519_public_key = ed_pair().public_pem;
  return cases;
}

TEST(Tokens, OfEachAlgorithmAreVerifiedByTheirKeyAlone) {
  const auto cases = own_cases();
  for (const OwnCase& one : cases) {
    const auto text = sign_token(one.algorithm, one.key, R"({"sub":"42"})");
    ASSERT_TRUE(text) << name(one.algorithm);
    for (const OwnCase& other : cases) {
      const bool same = family_of(one.algorithm) == family_of(other.algorithm) &&
                        (family_of(one.algorithm) != KeyFamily::ec || one.algorithm == other.algorithm);
      EXPECT_EQ(judged(other.settings, *text).has_value(), same) << name(one.algorithm) << name(other.algorithm);
    }
  }
}

TEST(Tokens, OfAnotherImplementationAreVerified) {
  namespace f = foreign_tokens;
  TokenSettings settings;
  settings.hmac_secret_key = f::secret;
  settings.rsa_public_key = f::rsa_key;
  settings.ed25519_public_key = f::ed25519_key;
  const std::pair<std::string_view, std::string_view> cases[] = {
      {f::hs256, ""}, {f::hs384, ""},          {f::hs512, ""},          {f::rs256, ""},          {f::rs384, ""},
      {f::rs512, ""}, {f::es256, f::p256_key}, {f::es384, f::p384_key}, {f::es512, f::p521_key}, {f::eddsa, ""}};
  for (const auto& [text, ec_key] : cases) {
    settings.ecdsa_public_key = ec_key;
    const auto claims = judged(settings, std::string(text));
    ASSERT_TRUE(claims) << why(claims);
    EXPECT_EQ(claims->user, "42");
  }
}

TEST(Tokens, EveryChangedCharacterIsNoticed) {
  for (const OwnCase& one : own_cases()) {
    if (one.algorithm == Algorithm::rs512 || one.algorithm == Algorithm::rs384) continue;  // the same code as RS256
    const std::string text = sign_token(one.algorithm, one.key, R"({"sub":"42"})").value();
    for (std::size_t i = 0; i < text.size(); i += 7) {
      std::string changed = text;
      changed[i] = changed[i] == 'A' ? 'B' : 'A';
      EXPECT_FALSE(judged(one.settings, changed)) << name(one.algorithm) << " " << i;
    }
  }
}

// ── Attacks ─────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST(Attacks, NoneIsNoAlgorithm) {
  for (const char* alg : {"none", "None", "NONE", "nOnE", "", "HS256 ", "hs256", "PS256", "ES256K", "HS1", "dir"}) {
    const std::string header = std::string(R"({"alg":")") + alg + "\"}";
    const std::string body = encoded(header) + "." + encoded(R"({"sub":"42"})") + ".";
    EXPECT_FALSE(judged(hmac_settings(), body)) << alg;
    EXPECT_FALSE(judged(hmac_settings(), body + "AA")) << alg;
    EXPECT_FALSE(judged(hmac_settings(), hmac_token(header, R"({"sub":"42"})"))) << alg;
  }
}

TEST(Attacks, APublicKeyIsNoSecret) {
  TokenSettings settings;
  settings.rsa_public_key = rsa_pair().public_pem;
  for (const std::string& key :
       {rsa_pair().public_pem, rsa_pair().public_pem.substr(0, rsa_pair().public_pem.size() - 1)})
    EXPECT_FALSE(judged(settings, hmac_token(R"({"alg":"HS256"})", R"({"sub":"42"})", key)));
  for (const std::string& key :
       {rsa_pair().public_pem, jwk_of(rsa_pair().public_pem, "a"), " \n" + ec_pair().public_pem}) {
    settings.hmac_secret_key = key;
    EXPECT_FALSE(TokenVerifier::make(settings, {}));
    EXPECT_FALSE(sign_token(Algorithm::hs256, key, "{}"));
  }
}

TEST(Attacks, AKeyIsGoodForItsCurveAlone) {
  TokenSettings settings;
  settings.ecdsa_public_key = ec_pair("P-384").public_pem;
  EXPECT_FALSE(judged(settings, sign_token(Algorithm::es256, ec_pair("P-256").secret_pem, "{}").value()));
  EXPECT_FALSE(sign_token(Algorithm::es256, ec_pair("P-384").secret_pem, "{}"));
  settings.ecdsa_public_key = pem_of(EVP_EC_gen("secp256k1")).public_pem;
  EXPECT_FALSE(TokenVerifier::make(settings, {}));
  settings.ecdsa_public_key = rsa_pair().public_pem;
  EXPECT_FALSE(TokenVerifier::make(settings, {}));
  settings.ecdsa_public_key.clear();
  settings.rsa_public_key = pem_of(EVP_RSA_gen(1024)).public_pem;
  EXPECT_FALSE(TokenVerifier::make(settings, {}));
}

TEST(Attacks, SignaturesOfOtherLengthsAreNone) {
  for (const OwnCase& one : own_cases()) {
    const std::string text = sign_token(one.algorithm, one.key, "{}").value();
    const std::size_t dot = text.rfind('.');
    for (const std::size_t length : {std::size_t{0}, std::size_t{2}, (text.size() - dot) / 2 / 4 * 4})
      EXPECT_FALSE(judged(one.settings, text.substr(0, dot + 1 + length))) << name(one.algorithm);
    EXPECT_FALSE(judged(one.settings, text + "AAAA")) << name(one.algorithm);
    const std::string zeros(text.size() - dot - 1, 'A');
    EXPECT_FALSE(judged(one.settings, text.substr(0, dot + 1) + zeros)) << name(one.algorithm);
  }
}

TEST(Attacks, HeadersThatAskForMoreAreRefused) {
  for (const char* header :
       {R"({"alg":"HS256","crit":["exp"]})", R"({"alg":"HS256","b64":false})", R"({"alg":"HS256","zip":"DEF"})",
        R"({"alg":"HS256","enc":"A128GCM"})", R"({"alg":"none","alg":"HS256"})", R"({"alg":"HS256","alg":"HS256"})",
        R"({"alg":["HS256"]})", R"({"alg":null})", R"({})", R"([])", R"("HS256")", R"({"alg":"HS256","kid":5})",
        R"({"alg":"HS256","x":[[[[[[[[[[[[[[]]]]]]]]]]]]]]})", "{\"alg\":\"HS256\"", "{\"alg\":\"HS256\"}x"})
    EXPECT_FALSE(judged(hmac_settings(), hmac_token(header, "{}"))) << header;
  EXPECT_TRUE(judged(hmac_settings(), hmac_token(R"({"alg":"HS256","typ":"JWT","cty":"x"})", "{}")));
}

TEST(Attacks, KeysInsideOfTokensAreNotBelieved) {
  TokenSettings settings;
  settings.rsa_public_key = rsa_pair().public_pem;
  const Pair own = pem_of(EVP_RSA_gen(2048));
  const std::string text = sign_token(Algorithm::rs256, own.secret_pem, R"({"sub":"42"})").value();
  const std::string header =
      R"({"alg":"RS256","jwk":)" + jwk_of(own.public_pem, "x") + R"(,"jku":"https://127.0.0.1:1/"})";
  EXPECT_FALSE(judged(settings, text));
  EXPECT_FALSE(judged(settings, encoded(header) + text.substr(text.find('.'))));
}

TEST(Attacks, MalformedTextIsRefused) {
  const std::string good = token(R"({"sub":"42"})");
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), std::string("..."), std::string("a.b.c"), good + ".",
        good + ".x", "." + good, good + "=", good + "\n", " " + good, good.substr(0, good.find('.')),
        std::string(100'000, '.'), std::string("\0\0\0", 3), good + std::string(1, '\0')})
    EXPECT_FALSE(judged(hmac_settings(), text));
  EXPECT_TRUE(judged(hmac_settings(), good));
}

TEST(Attacks, LengthIsBounded) {
  const auto of_length = [](std::size_t size) {
    std::string text;
    for (std::size_t padding = size * 3 / 4 - 150; text.size() < size; ++padding)
      text = token(R"({"sub":"42","x":")" + std::string(padding, 'x') + "\"}");
    return text;
  };
  std::string at = of_length(token_limit_bytes - 2);
  ASSERT_LE(at.size(), token_limit_bytes);
  EXPECT_TRUE(judged(hmac_settings(), at)) << at.size();
  EXPECT_EQ(why(judged(hmac_settings(), of_length(token_limit_bytes + 1))), "the token is too long");
}

TEST(Attacks, DeepAndDoubledClaimsAreRefused) {
  const std::string deep = R"({"sub":"42","info":)" + std::string(200, '[') + std::string(200, ']') + "}";
  EXPECT_EQ(why_claims(deep), "the claims are no JSON");
  EXPECT_EQ(why_claims(R"({"sub":"42","sub":"43"})"), "a claim is there twice");
  EXPECT_EQ(why_claims(R"({"exp":1,"exp":99999999999})"), "a claim is there twice");
  EXPECT_EQ(why_claims("[]"), "the claims are no object");
  EXPECT_EQ(why_claims("{\"sub\":\"\xff\"}"), "the claims are no JSON");
}

TEST(Attacks, FaultsHoldNothingOfTheToken) {
  const auto result = judged(hmac_settings(), hmac_token(R"({"alg":"hunter2"})", R"({"sub":"hunter2"})"));
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().why, Not(HasSubstr("hunter2")));
}

// ── Claims ──────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST(Claims, OfAConnectionAreRead) {
  const auto claims = judged(hmac_settings(), token(R"({
    "sub": "42", "exp": 1700000100, "iat": 1699999999, "jti": "t1", "info": {"name": "A"}, "meta": {"tenant": 7},
    "channels": ["news", "chat:1"], "subs": {"a": {"info": {"x": 1}, "b64data": "AAEC",
      "override": {"presence": {"value": true}, "force_recovery": {"value": false}}}, "b": {}},
    "caps": [{"channels": ["room:*"], "match": "wildcard", "allow": ["sub", "pub", "future"]}]})"));
  ASSERT_TRUE(claims) << why(claims);
  EXPECT_EQ(claims->user, "42");
  EXPECT_EQ(claims->expire_at, 1'700'000'100);
  EXPECT_EQ(claims->issued_at, 1'699'999'999);
  EXPECT_EQ(claims->id, "t1");
  EXPECT_EQ(claims->info, R"({"name":"A"})");
  EXPECT_EQ(claims->meta, R"({"tenant":7})");
  EXPECT_THAT(claims->channels, ElementsAre("news", "chat:1"));
  EXPECT_EQ(claims->subs.at("a").data, std::string("\0\1\2", 3));
  EXPECT_EQ(claims->subs.at("a").overrides.presence, true);
  EXPECT_EQ(claims->subs.at("a").overrides.force_recovery, false);
  EXPECT_EQ(claims->subs.at("a").overrides.join_leave, std::nullopt);
  ASSERT_EQ(claims->capabilities.size(), 1U);
  EXPECT_TRUE(claims->capabilities[0].subscribe && claims->capabilities[0].publish);
  EXPECT_FALSE(claims->capabilities[0].presence || claims->capabilities[0].history);
}

TEST(Claims, OfTheWrongTypeAreRefused) {
  for (const char* claims : {R"({"sub":42})",
                             R"({"sub":["42"]})",
                             R"({"exp":"1"})",
                             R"({"exp":-1})",
                             R"({"exp":1e300})",
                             R"({"nbf":true})",
                             R"({"channel":"x"})",
                             R"({"channel":null})",
                             R"({"channels":"x"})",
                             R"({"channels":[1]})",
                             R"({"subs":[]})",
                             R"({"subs":{"a":1}})",
                             R"({"subs":{"a":{"override":1}}})",
                             R"({"subs":{"a":{"override":{"presence":true}}}})",
                             R"({"subs":{"a":{"override":{"slow_policy":{"value":"faster"}}}}})",
                             R"({"subs":{"a":{"override":{"slow_policy":{"value":1}}}}})",
                             R"({"subs":{"a":{"override":{"slow_queue_messages":{"value":0}}}}})",
                             R"({"subs":{"a":{"override":{"slow_queue_messages":{"value":1000001}}}}})",
                             R"({"subs":{"a":{"override":{"slow_queue_messages":{"value":-1}}}}})",
                             R"({"subs":{"a":{"override":{"slow_sample_per_second":{"value":0.0009}}}}})",
                             R"({"subs":{"a":{"override":{"slow_sample_per_second":{"value":10001}}}}})",
                             R"({"subs":{"a":{"override":{"slow_sample_per_second":{}}}}})",
                             R"({"subs":{"a":{},"a":{}}})",
                             R"({"meta":1})",
                             R"({"jti":1})",
                             R"({"b64info":"?"})",
                             R"({"b64info":"AA"})",
                             R"({"b64info":"AB=="})",
                             R"({"caps":{}})",
                             R"({"caps":[{}]})",
                             R"({"caps":[{"channels":["a"],"allow":["sub"],"match":"x"}]})"})
    EXPECT_FALSE(judged(hmac_settings(), token(claims))) << claims;
}

TEST(Claims, WithoutAUserAreAnonymous) { EXPECT_EQ(judged(hmac_settings(), token("{}")).value().user, ""); }

TEST(Claims, MayNameTheUserElsewhere) {
  TokenSettings settings = hmac_settings();
  settings.user_id_claim = "uid";
  EXPECT_EQ(judged(settings, token(R"({"sub":"1","uid":"2"})")).value().user, "2");
}

TEST(Claims, AreInTimeBeforeExpAndFromNbfOn) {
  const auto at = [](std::int64_t time, const char* claims, seconds leeway = {}) {
    TokenSettings settings = hmac_settings();
    settings.leeway = leeway;
    return why(judged(settings, token(claims), WallTime{seconds(time)}));
  };
  EXPECT_EQ(at(99, R"({"exp":100})"), "accepted");
  EXPECT_EQ(at(100, R"({"exp":100})"), "expired");
  EXPECT_EQ(at(101, R"({"exp":100})"), "expired");
  EXPECT_EQ(at(100, R"({"exp":100.5})"), "accepted");
  EXPECT_EQ(at(99, R"({"nbf":100})"), "expired");
  EXPECT_EQ(at(100, R"({"nbf":100})"), "accepted");
  EXPECT_EQ(at(104, R"({"exp":100})", seconds(5)), "accepted");
  EXPECT_EQ(at(105, R"({"exp":100})", seconds(5)), "expired");
  EXPECT_EQ(at(95, R"({"nbf":100})", seconds(5)), "accepted");
  EXPECT_EQ(at(94, R"({"nbf":100})", seconds(5)), "expired");
}

TEST(Claims, ExpireAtIsApartFromExp) {
  EXPECT_EQ(judged(hmac_settings(), token(R"({"exp":1700000100,"expire_at":0})")).value().expire_at, 0);
  EXPECT_EQ(judged(hmac_settings(), token(R"({"exp":1700000100,"expire_at":1800000000})")).value().expire_at,
            1'800'000'000);
  EXPECT_EQ(judged(hmac_settings(), token("{}")).value().expire_at, 0);
}

TEST(Claims, AudienceAndIssuerMustBeTheConfiguredOnes) {
  TokenSettings settings = hmac_settings();
  settings.audience = "chat";
  settings.issuer_regex = "https://[a-z]+\\.example";
  const auto result = [&](const char* claims) { return judged(settings, token(claims)).has_value(); };
  EXPECT_TRUE(result(R"({"aud":"chat","iss":"https://a.example"})"));
  EXPECT_TRUE(result(R"({"aud":["x","chat"],"iss":"https://a.example"})"));
  EXPECT_FALSE(result(R"({"aud":["x"],"iss":"https://a.example"})"));
  EXPECT_FALSE(result(R"({"aud":"chats","iss":"https://a.example"})"));
  EXPECT_FALSE(result(R"({"iss":"https://a.example"})"));
  EXPECT_FALSE(result(R"({"aud":"chat"})"));
  EXPECT_FALSE(result(R"({"aud":"chat","iss":"https://a.example.evil"})"));
  EXPECT_FALSE(result(R"({"aud":"chat","iss":"x https://a.example"})"));
}

TEST(Claims, OfASubscriptionNameTheirChannel) {
  const auto claims =
      judged_subscription(R"({"sub":"42","channel":"$a","client":"c","info":[1],"data":{"d":1},"expire_at":5,
                                              "override":{"join_leave":{"value":true}}})");
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->channel, "$a");
  EXPECT_EQ(claims->client, "c");
  EXPECT_EQ(claims->info, "[1]");
  EXPECT_EQ(claims->data, R"({"d":1})");
  EXPECT_EQ(claims->expire_at, 5);
  EXPECT_EQ(claims->overrides.join_leave, true);
  EXPECT_FALSE(judged_subscription(R"({"sub":"42"})"));
  EXPECT_FALSE(judged_subscription(R"({"sub":"42","channel":""})"));
  EXPECT_FALSE(judged_subscription(R"({"sub":"42","channel":7})"));
}

TEST(Claims, OfASubscriptionMayChooseItsSlowPolicy) {
  const auto claims = judged_subscription(R"({"sub":"42","channel":"a","override":{"slow_policy":{"value":"sample"},
                            "slow_queue_messages":{"value":1000000},"slow_sample_per_second":{"value":2}}})");
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->overrides.slow_policy, SlowPolicy::sample);
  EXPECT_EQ(claims->overrides.slow_queue_messages, 1'000'000U);
  EXPECT_EQ(claims->overrides.slow_sample_per_second, 2.0);
  const auto silent = judged_subscription(R"({"sub":"42","channel":"a","override":{"slow_policy":null}})");
  ASSERT_TRUE(silent);
  EXPECT_FALSE(silent->overrides.slow_policy || silent->overrides.slow_queue_messages ||
               silent->overrides.slow_sample_per_second);
}

TEST(Secrets, ThePreviousOneIsGoodUntilItsDay) {
  TokenSettings settings;
  settings.hmac_secret_key = "the new one";
  settings.hmac_previous_secret_key = secret;
  settings.hmac_previous_secret_key_valid_until = 100;
  const std::string old = token("{}");
  EXPECT_TRUE(judged(settings, old, WallTime{seconds(99)}));
  EXPECT_FALSE(judged(settings, old, WallTime{seconds(100)}));
  settings.hmac_previous_secret_key_valid_until = 0;
  EXPECT_TRUE(judged(settings, old, now));
}

}  // namespace
}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
#include "auth/key_set.h"

#include "auth/policy.h"
#include "auth/tokens.h"
#include "auth/tokens_testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::server {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using namespace token_testing;

struct Documents {
  std::vector<Done<std::string>> asked;
  std::vector<std::string> urls;
  FetchDocument fetch() {
    return [this](const std::string& url, Done<std::string> done) {
      urls.push_back(url);
      asked.push_back(std::move(done));
    };
  }
  void answer(const std::string& document) { take()(document); }
  void fail() { take()(std::unexpected(Fault{FaultKind::unavailable, "gone"})); }
  Done<std::string> take() {
    auto done = std::move(asked.front());
    asked.erase(asked.begin());
    return done;
  }
};

class KeySets : public testing::Test {
 protected:
  KeySets() {
    TokenSettings settings;
    settings.jwks_public_endpoint = "https://keys.example/";
    settings.jwks_refresh = seconds(3600);
    verifier_ = TokenVerifier::make(settings, documents_.fetch(), false, [this](const auto& url, const auto& why) {
                  reports_.push_back(url + " " + why);
                }).value();
  }
  // The number of its answer.
  std::size_t ask(const std::string& kid, WallTime at = now, const Pair& pair = rsa_pair()) {
    const std::size_t number = answers_.size();
    answers_.emplace_back("waiting");
    verifier_->connection(sign_token(Algorithm::rs256, pair.secret_pem, "{}", kid).value(), at,
                          [this, number](const Judgement& judgement) {
                            answers_[number] =
                                !judgement && judgement.error().unavailable ? "unavailable" : why(judgement);
                          });
    return number;
  }
  static std::string set_of(const std::string& kid, const Pair& pair = rsa_pair(), const std::string& more = {}) {
    return R"({"keys":[)" + jwk_of(pair.public_pem, kid, more) + "]}";
  }
  Documents documents_;
  std::shared_ptr<TokenVerifier> verifier_;
  std::vector<std::string> answers_, reports_;
};

TEST_F(KeySets, EachFetchingIsReported) {
  ask("a");
  documents_.fail();
  ask("a", now + seconds(20));
  documents_.answer("<html>");
  ask("a", now + seconds(40));
  documents_.answer(set_of("a"));
  EXPECT_THAT(reports_, ElementsAre("https://keys.example/ gone",
                                    "https://keys.example/ the set of keys is no JSON object with a list of keys",
                                    "https://keys.example/ "));
}

TEST(KeySet, AFileIsLookedAtWithoutBeingAskedForAKey) {
  EXPECT_FALSE(KeySet::fault_of_file("https://keys.example/"));
  EXPECT_THAT(KeySet::fault_of_file("file:/nowhere/keys.json").value_or(""), testing::HasSubstr("/nowhere/keys.json"));
}

TEST_F(KeySets, AreFetchedOnceForAllThatWait) {
  ask("a");
  ask("a");
  ask("b");
  ASSERT_EQ(documents_.asked.size(), 1U);
  documents_.answer(set_of("a"));
  EXPECT_THAT(answers_, ElementsAre("accepted", "accepted", "the key of the token is not known"));
  EXPECT_EQ(answers_[ask("a")], "accepted");
  EXPECT_TRUE(documents_.asked.empty());
}

TEST_F(KeySets, WhoeverBringsThemVerifiesNoneOfTheTokensThatHaveWaited) {
  std::vector<std::function<void()>> later;
  std::vector<std::string> answers;
  const auto ask_apart = [&] {
    verifier_->connection(
        sign_token(Algorithm::rs256, rsa_pair().secret_pem, "{}", "a").value(), now,
        [&](const Judgement& judgement) { answers.push_back(why(judgement)); },
        [&](std::function<void()> work) { later.push_back(std::move(work)); });
  };
  ask_apart();
  ask_apart();
  documents_.answer(set_of("a"));
  EXPECT_TRUE(answers.empty());
  ASSERT_EQ(later.size(), 2U);
  later[1]();
  EXPECT_THAT(answers, ElementsAre("accepted"));
  ask_apart();
  EXPECT_THAT(answers, ElementsAre("accepted", "accepted")) << "the keys are at hand";
  EXPECT_EQ(later.size(), 2U);
}

TEST_F(KeySets, AreFetchedAgainForAnUnknownIdButNotForEach) {
  ask("a");
  documents_.answer(set_of("a"));
  EXPECT_EQ(answers_[ask("b", now + seconds(9))], "the key of the token is not known");
  EXPECT_TRUE(documents_.asked.empty());
  const std::size_t rotated = ask("b", now + seconds(10));
  ASSERT_EQ(documents_.asked.size(), 1U);
  documents_.answer(set_of("b"));
  EXPECT_EQ(answers_[rotated], "accepted");
  EXPECT_EQ(answers_[ask("a", now + seconds(11))], "the key of the token is not known");
}

TEST_F(KeySets, OldKeysGoOnWhileFetchingFails) {
  ask("a");
  documents_.answer(set_of("a"));
  EXPECT_EQ(answers_[ask("a", now + seconds(3601))], "accepted");
  ASSERT_EQ(documents_.asked.size(), 1U);
  documents_.fail();
  EXPECT_EQ(answers_[ask("a", now + seconds(86'399))], "accepted");
  documents_.fail();
  const std::size_t late = ask("a", now + seconds(86'420));
  EXPECT_EQ(answers_[late], "waiting");
  documents_.fail();
  EXPECT_EQ(answers_[late], "unavailable");
}

TEST_F(KeySets, ThatNeverCameAreUnavailable) {
  const std::size_t first = ask("a");
  documents_.fail();
  EXPECT_EQ(answers_[first], "unavailable");
  EXPECT_EQ(answers_[ask("a", now + seconds(1))], "unavailable");
  const std::size_t garbage = ask("a", now + seconds(20));
  documents_.answer("<html>");
  EXPECT_EQ(answers_[garbage], "unavailable");
}

TEST_F(KeySets, ATokenWithoutAnIdHasAKeyWhenThereIsOne) {
  const std::size_t one = ask("");
  documents_.answer(set_of("a"));
  EXPECT_EQ(answers_[one], "accepted");
}

TEST_F(KeySets, IdsAreComparedNotInterpreted) {
  ask("a");
  documents_.answer(set_of("a"));
  for (const char* kid : {"A", "a/../a", "../../dev/null", "a\\u0000", "a' or '1'='1", "*", "a "})
    EXPECT_EQ(answers_[ask(kid)], "the key of the token is not known") << kid;
}

TEST_F(KeySets, LeaveOutWhatIsNotForSignatures) {
  EXPECT_FALSE(KeySet::parse(set_of("a", rsa_pair(), R"(,"use":"enc")")));
  EXPECT_FALSE(KeySet::parse(set_of("a", rsa_pair(), R"(,"alg":"HS256")")));
  EXPECT_FALSE(KeySet::parse(R"({"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"a"}]})"));
  EXPECT_FALSE(KeySet::parse(R"({"keys":[{}, 1, null]})"));
  EXPECT_FALSE(KeySet::parse(R"({"keys":{}})"));
  EXPECT_FALSE(KeySet::parse(std::string(key_set_limit_bytes + 1, ' ')));
  const auto keys = KeySet::parse(set_of("a", rsa_pair(), R"(,"use":"sig","alg":"RS384")"));
  ASSERT_TRUE(keys);
  EXPECT_TRUE(keys->front().is_for(Algorithm::rs384));
  EXPECT_FALSE(keys->front().is_for(Algorithm::rs256));
}

TEST_F(KeySets, OfEachIssuerVerifyItsTokensAlone) {
  TokenSettings settings;
  settings.jwks_public_endpoint = "https://keys.example/{{realm}}";
  settings.issuer_regex = "https://sso/(?P<realm>one|two)";
  const auto verifier = TokenVerifier::make(settings, documents_.fetch()).value();
  const auto asked = [&](const std::string& issuer, const Pair& pair) {
    std::string answer = "waiting";
    const std::string claims = R"({"sub":"7","iss":")" + issuer + R"("})";
    const std::string key = sign_token(Algorithm::rs256, pair.secret_pem, claims, "a").value();
    verifier->connection(key, now, [&](const Judgement& judgement) { answer = why(judgement); });
    if (!documents_.asked.empty())
      documents_.answer(set_of("a", issuer.ends_with("one") ? rsa_pair() : other_rsa_pair()));
    return answer;
  };
  EXPECT_EQ(asked("https://sso/one", rsa_pair()), "accepted");
  EXPECT_EQ(asked("https://sso/two", other_rsa_pair()), "accepted");
  EXPECT_EQ(asked("https://sso/two", rsa_pair()), "the signature is not valid");
  EXPECT_EQ(asked("https://sso/one", other_rsa_pair()), "the signature is not valid");
  EXPECT_EQ(asked("https://sso/evil", rsa_pair()), "the token comes from nowhere that is known");
  EXPECT_EQ(asked("https://sso/../one", rsa_pair()), "the token comes from nowhere that is known");
  EXPECT_THAT(documents_.urls, ElementsAre("https://keys.example/one", "https://keys.example/two"));
}

// A file of the tests, gone with this object.
class File {
 public:
  explicit File(const std::string& name) : path_(testing::TempDir() + name) { std::remove(path_.c_str()); }
  ~File() { std::remove(path_.c_str()); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] std::string url() const { return "file:" + path_; }
  void write(const std::string& text) const {
    std::FILE* file = std::fopen(path_.c_str(), "w");
    ASSERT_NE(file, nullptr);
    std::fputs(text.c_str(), file);
    std::fclose(file);
  }

 private:
  std::string path_;
};

TEST_F(KeySets, SurviveAReloadThatDoesNotConcernThem) {
  AuthSettings auth;
  auth.token.jwks_public_endpoint = "https://keys.example/";
  auth.subscription_token_enabled = true;
  auth.subscription_token.jwks_public_endpoint = "https://keys.example/subs";
  const auto first = make_policy(auth, {}, documents_.fetch()).value();
  ChannelSettings channel;
  channel.namespaces["ab"] = {};
  const auto second = make_policy(auth, channel, documents_.fetch(), first.get()).value();
  EXPECT_EQ(second->connection_tokens, first->connection_tokens);
  EXPECT_EQ(second->subscription_tokens, first->subscription_tokens);
  auth.token.audience = "chat";
  const auto third = make_policy(auth, channel, documents_.fetch(), second.get()).value();
  EXPECT_NE(third->connection_tokens, second->connection_tokens);
  EXPECT_EQ(third->subscription_tokens, second->subscription_tokens);
  auth.insecure = auth.insecure_skip_token_signature_verify = true;
  const auto fourth = make_policy(auth, channel, documents_.fetch(), third.get()).value();
  EXPECT_NE(fourth->connection_tokens, third->connection_tokens);
  EXPECT_NE(fourth->subscription_tokens, third->subscription_tokens);
  const File file("fairlead_reloaded_keys.json");
  file.write(set_of("a"));
  auth.token.jwks_public_endpoint = file.url();
  const auto of_file = make_policy(auth, channel, documents_.fetch(), fourth.get()).value();
  EXPECT_NE(make_policy(auth, channel, documents_.fetch(), of_file.get()).value()->connection_tokens,
            of_file->connection_tokens);
  auth.subscription_token_enabled = false;
  const auto fifth = make_policy(auth, channel, documents_.fetch(), fourth.get()).value();
  EXPECT_EQ(fifth->subscription_tokens, fifth->connection_tokens);
}

TEST_F(KeySets, SurviveAReloadThatChangesAnotherRuleForTokens) {
  AuthSettings auth;
  auth.token.jwks_public_endpoint = "https://keys.example/";
  const auto first = make_policy(auth, {}, documents_.fetch()).value();
  const std::string text = sign_token(Algorithm::rs256, rsa_pair().secret_pem, R"({"sub":"7"})", "a").value();
  const auto ask_policy = [&](const Policy& policy, WallTime at) {
    // Who waits is told when the keys are there, after this has returned.
    const auto answer = std::make_shared<std::string>("waiting");
    policy.connection_tokens->connection(text, at, [answer](const Judgement& judgement) { *answer = why(judgement); });
    return *answer;
  };
  EXPECT_EQ(ask_policy(*first, now), "waiting");
  documents_.answer(set_of("a"));
  auth.token.leeway = seconds(1);
  auth.token.jwks_refresh = seconds(60);
  const auto second = make_policy(auth, {}, documents_.fetch(), first.get()).value();
  EXPECT_EQ(ask_policy(*second, now + seconds(59)), "accepted");
  EXPECT_TRUE(documents_.asked.empty());
  EXPECT_EQ(ask_policy(*second, now + seconds(60)), "accepted");
  EXPECT_EQ(documents_.asked.size(), 1U) << "the new interval holds";
  documents_.fail();
  auth.token.jwks_public_endpoint = "https://other.example/";
  const auto third = make_policy(auth, {}, documents_.fetch(), second.get()).value();
  EXPECT_EQ(ask_policy(*third, now + seconds(60)), "waiting") << "keys of another address";
  documents_.fail();
}

TEST(KeySetFiles, ThatCannotBeReadRefuseAReload) {
  const File file("fairlead_broken_keys.json");
  const std::string good = R"({"keys":[)" + jwk_of(ed_pair().public_pem, "e") + "]}";
  for (const bool of_subscriptions : {false, true}) {
    AuthSettings auth;
    auth.subscription_token_enabled = of_subscriptions;
    (of_subscriptions ? auth.subscription_token : auth.token).jwks_public_endpoint = file.url();
    file.write(good);
    const auto running = make_policy(auth, {}, {}).value();
    for (const char* broken : {"{", R"({"keys":[]})", ""}) {
      file.write(broken);
      const auto reloaded = make_policy(auth, {}, {}, running.get());
      ASSERT_FALSE(reloaded) << broken;
      EXPECT_THAT(reloaded.error().sentence,
                  testing::StartsWith(of_subscriptions ? "client.subscription_token.jwks_public_endpoint: file:"
                                                       : "client.token.jwks_public_endpoint: file:"));
    }
    file.write(good);
    EXPECT_TRUE(make_policy(auth, {}, {}, running.get()));
  }
}

TEST(KeySetFiles, AreRead) {
  const File file("fairlead_keys.json");
  TokenSettings settings;
  settings.jwks_public_endpoint = file.url();
  const std::string text = sign_token(Algorithm::eddsa, ed_pair().secret_pem, R"({"sub":"7"})", "e").value();
  const auto missing = judged(settings, text);
  ASSERT_FALSE(missing);
  EXPECT_TRUE(missing.error().unavailable);
  file.write(R"({"keys":[)" + jwk_of(ed_pair().public_pem, "e") + "]}");
  EXPECT_EQ(judged(settings, text).value().user, "7");
}

TEST(KeySetFiles, OverCleartextAreRefused) {
  TokenSettings settings;
  const FetchDocument fetch = [](const std::string&, const Done<std::string>&) {};
  for (const char* url :
       {"http://keys.example/", "ftp://keys.example/", "keys.json", "http://localhost:1@keys.example/",
        "http://localhost.keys.example/", "https://{{a}}.example/"}) {
    settings.jwks_public_endpoint = url;
    EXPECT_FALSE(TokenVerifier::make(settings, fetch)) << url;
  }
  settings.jwks_public_endpoint = "http://127.0.0.1:9/keys";
  EXPECT_TRUE(TokenVerifier::make(settings, fetch));
}

}  // namespace
}  // namespace fairlead::server

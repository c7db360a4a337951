// SPDX-License-Identifier: Apache-2.0
#include "auth/gatekeeper.h"

#include "auth/jose.h"
#include "auth/policy.h"
#include "auth/revocations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

namespace fairlead::server {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

constexpr const char* secret = "the secret of the tests, long enough";
const WallTime now{seconds(1'700'000'000)};

struct FakeBackend final : Backend {
  Verdict<ConnectAnswer> on_connect = ConnectAnswer{};
  Verdict<RefreshAnswer> on_refresh = RefreshAnswer{};
  Verdict<SubscribeAnswer> on_subscribe = SubscribeAnswer{};
  Verdict<PublishAnswer> on_publish = PublishAnswer{};
  Verdict<RpcAnswer> on_rpc = RpcAnswer{};
  std::vector<std::string> asked;

  void connect(ConnectQuestion question, Judged<ConnectAnswer> judged) override {
    asked.push_back("connect " + question.caller.client);
    judged(on_connect);
  }
  void refresh(Caller caller, Judged<RefreshAnswer> judged) override {
    asked.push_back("refresh " + caller.user + " " + caller.meta);
    judged(on_refresh);
  }
  void subscribe(const std::string& proxy, SubscribeQuestion question, Judged<SubscribeAnswer> judged) override {
    asked.push_back(proxy + " " + question.channel + " " + question.caller.user);
    judged(on_subscribe);
  }
  void publish(const std::string& proxy, PublishQuestion question, Judged<PublishAnswer> judged) override {
    asked.push_back(proxy + " " + question.channel);
    judged(on_publish);
  }
  void sub_refresh(const std::string& proxy, Caller /*caller*/, std::string channel,
                   Judged<RefreshAnswer> judged) override {
    asked.push_back(proxy + " " + channel);
    judged(on_refresh);
  }
  void rpc(const std::string& proxy, RpcQuestion question, Judged<RpcAnswer> judged) override {
    asked.push_back(proxy + " " + question.method);
    judged(on_rpc);
  }
};

struct FakeStore final : Store {
  std::map<std::string, std::map<std::string, std::string>> tables;
  void put(const std::string& table, const std::string& key, std::string value, WallTime /*until*/,
           Done<void> done) override {
    tables[table][key] = std::move(value);
    done({});
  }
  void remove(const std::string& table, const std::string& key, Done<void> done) override {
    tables[table].erase(key);
    done({});
  }
  void list(const std::string& table, Done<std::map<std::string, std::string>> done) override { done(tables[table]); }
};

template <class Answer>
std::string text(const Verdict<Answer>& verdict) {
  if (const auto* error = std::get_if<ClientError>(&verdict)) return "error " + std::to_string(error->code);
  if (const auto* reason = std::get_if<DisconnectReason>(&verdict)) return "disconnect " + std::to_string(reason->code);
  return "yes";
}
template <class T>
std::string text(const std::variant<T, ClientError>& answer) {
  const auto* error = std::get_if<ClientError>(&answer);
  return error == nullptr ? "yes" : "error " + std::to_string(error->code);
}

std::string token(const std::string& claims) { return sign_token(Algorithm::hs256, secret, claims).value(); }

class Gate : public testing::Test {
 protected:
  Gate() {
    auth.token.hmac_secret_key = secret;
    channel.namespaces["open"].allow_subscribe_for_client = true;
    channel.namespaces["closed"] = {};
    channel.namespaces["limited"].allow_user_limited_channels = true;
    who.client = "c1";
  }

  std::string call(const char* method) {
    std::optional<Verdict<RpcAnswer>> result;
    gate().rpc(who, user("42"), RpcRequest{"{}", method},
               [&](Verdict<RpcAnswer> verdict) { result = std::move(verdict); });
    return text(*result);
  }

  Gatekeeper& gate() {
    auto made = make_policy(auth, channel, {});
    EXPECT_TRUE(made) << (made ? "" : made.error().sentence);
    policy_ = made.value_or(nullptr);
    gate_ = make_gatekeeper({.policy = [this] { return policy_; },
                             .backend = &backend,
                             .revocations = &revocations,
                             .wall_clock = [this] { return time; },
                             .post = {},
                             .warn = [this](const std::string& sentence) { warnings.push_back(sentence); }});
    return *gate_;
  }

  Verdict<Admitted> connect(ConnectRequest request) {
    std::optional<Verdict<Admitted>> result;
    gate().connect(who, request, [&](Verdict<Admitted> verdict) { result = std::move(verdict); });
    return result.value_or(ClientError{0, "no answer", false});
  }
  Verdict<Admitted> connect_with(const std::string& claims) {
    ConnectRequest request;
    request.token = token(claims);
    return connect(request);
  }
  Verdict<Granted> subscribe(const Admitted& admitted, const std::string& name, const std::string& text = {}) {
    SubscribeRequest request;
    request.channel = name;
    request.token = text;
    std::optional<Verdict<Granted>> result;
    gate().subscribe(who, admitted, request, [&](Verdict<Granted> verdict) { result = std::move(verdict); });
    return result.value_or(ClientError{0, "no answer", false});
  }
  Verdict<PublishAnswer> publish(const Admitted& admitted, const std::string& name, const Payload& data = "{}",
                                 bool subscribed = false) {
    PublishRequest request;
    request.channel = name;
    request.data = data;
    std::optional<Verdict<PublishAnswer>> result;
    gate().publish(who, admitted, request, subscribed,
                   [&](Verdict<PublishAnswer> verdict) { result = std::move(verdict); });
    return result.value_or(ClientError{0, "no answer", false});
  }
  Verdict<Admitted> refresh(const Admitted& admitted, const std::string& text) {
    std::optional<Verdict<Admitted>> result;
    gate().refresh(who, admitted, RefreshRequest{text},
                   [&](Verdict<Admitted> verdict) { result = std::move(verdict); });
    return result.value_or(ClientError{0, "no answer", false});
  }
  Verdict<Granted> sub_refresh(const Admitted& admitted, const Granted& granted, const std::string& text) {
    SubRefreshRequest request;
    request.channel = "open:a";
    request.token = text;
    std::optional<Verdict<Granted>> result;
    gate().sub_refresh(who, admitted, granted, request, [&](Verdict<Granted> verdict) { result = std::move(verdict); });
    return result.value_or(ClientError{0, "no answer", false});
  }
  static Admitted user(const std::string& name) {
    Admitted admitted;
    admitted.user = name;
    return admitted;
  }

  AuthSettings auth;
  ChannelSettings channel;
  FakeBackend backend;
  FakeStore store;
  Revocations revocations{store};
  std::vector<std::string> warnings;
  WallTime time = now;
  Caller who;

 private:
  std::shared_ptr<const Policy> policy_;
  std::shared_ptr<Gatekeeper> gate_;
};

// ── connect ─────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST_F(Gate, ConnectNeedsCredentials) {
  EXPECT_EQ(text(connect({})), "disconnect 3501");
  auth.allow_anonymous_connect_without_token = true;
  EXPECT_EQ(text(connect({})), "yes");
  auth.allow_anonymous_connect_without_token = false;
  auth.insecure = true;
  EXPECT_EQ(std::get<Admitted>(connect({})).user, "");
}

TEST_F(Gate, TokensGoBeforeTheBackendWhichGoesBeforeNobody) {
  auth.connect_proxy_enabled = auth.allow_anonymous_connect_without_token = true;
  ConnectAnswer answer;
  answer.user = "from backend";
  answer.channels = {"open:x"};
  backend.on_connect = answer;
  EXPECT_EQ(std::get<Admitted>(connect_with(R"({"sub":"from token"})")).user, "from token");
  EXPECT_TRUE(backend.asked.empty());
  const auto admitted = std::get<Admitted>(connect({}));
  EXPECT_EQ(admitted.user, "from backend");
  EXPECT_TRUE(admitted.subs.contains("open:x"));
  EXPECT_THAT(backend.asked, ElementsAre("connect c1"));
  backend.on_connect = DisconnectReason{4501, "no"};
  EXPECT_EQ(text(connect({})), "disconnect 4501");
  backend.on_connect = client_error::internal;
  EXPECT_EQ(text(connect({})), "error 100");
}

TEST_F(Gate, TokensThatAreNotGoodHaveTheirCodes) {
  EXPECT_EQ(text(connect_with(R"({"sub":"42","exp":1700000000})")), "error 109");
  EXPECT_EQ(text(connect_with(R"({"sub":"42","exp":1700000001})")), "yes");
  EXPECT_EQ(text(connect_with(R"({"sub":"42","nbf":1700000001})")), "error 109");
  EXPECT_EQ(text(connect_with(R"({"sub":"42","channel":"a"})")), "disconnect 3500");
  EXPECT_EQ(text(connect_with(R"({"sub":"42","expire_at":1700000000})")), "error 110");
  ConnectRequest request;
  request.token = "x.y.z";
  EXPECT_EQ(text(connect(request)), "disconnect 3500");
}

TEST_F(Gate, WithoutKeysNoTokenIsGood) {
  auth.token = {};
  EXPECT_EQ(text(connect_with(R"({"sub":"42"})")), "disconnect 3500");
}

TEST_F(Gate, KeysThatCannotBeHadAreATemporaryError) {
  auth.token = {};
  auth.token.jwks_public_endpoint = "file:/nonexistent/keys.json";
  EXPECT_EQ(text(connect_with(R"({"sub":"42"})")), "error 100");
}

TEST_F(Gate, AnonymousTokensMayBeForbidden) {
  EXPECT_EQ(text(connect_with("{}")), "yes");
  auth.disallow_anonymous_connection_tokens = true;
  EXPECT_EQ(text(connect_with("{}")), "disconnect 3507");
}

TEST_F(Gate, ServerSideSubscriptionsComeFromTheTokenAndTheUser) {
  auth.personal_channel = {true, "limited", false};
  ConnectRequest request;
  request.token = token(R"({"sub":"42","channels":["a","b"],"subs":{"b":{"info":1}}})");
  for (const char* name : {"open:wanted", "closed:wanted", "$open:wanted", "limited:d#42,7", "limited:d#7", "none:x"})
    request.subs[name] = {};
  const auto admitted = std::get<Admitted>(connect(request));
  std::vector<std::string> names;
  for (const auto& [name, subscription] : admitted.subs) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("a", "b", "limited:#42", "limited:d#42,7", "open:wanted"));
  EXPECT_EQ(admitted.subs.at("b").info, "1");
}

TEST_F(Gate, WhoseIdMakesNoPersonalChannelConnectsWithoutOneAndTheOperatorIsTold) {
  auth.personal_channel.enabled = true;
  for (const char* claims : {R"({"sub":"a,b"})", R"({"sub":"J\u00fcrgen"})"}) {
    EXPECT_TRUE(std::get<Admitted>(connect_with(claims)).subs.empty());
  }
  ASSERT_EQ(warnings.size(), 2U);
  EXPECT_THAT(warnings[0], testing::HasSubstr("a mark of channel names"));
  EXPECT_THAT(warnings[1], testing::HasSubstr("printable ASCII"));
}

TEST_F(Gate, InsecureModeForgetsExpiry) {
  auth.insecure = true;
  EXPECT_EQ(std::get<Admitted>(connect_with(R"({"sub":"42","exp":1700000100})")).expire_at, 0);
  EXPECT_EQ(text(connect_with(R"({"sub":"42","channel":"a"})")), "disconnect 3500");
}

TEST_F(Gate, SignaturesAreSkippedInInsecureModeAlone) {
  ConnectRequest request;
  request.token = sign_token(Algorithm::hs256, "of somebody else", R"({"sub":"42"})").value();
  auth.insecure_skip_token_signature_verify = true;
  EXPECT_EQ(text(connect(request)), "disconnect 3500");
  auth.insecure = true;
  EXPECT_EQ(text(connect(request)), "yes");
}

// ── refresh ─────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST_F(Gate, RefreshTakesANewTokenOfTheSameUser) {
  const Admitted admitted = user("42");
  EXPECT_EQ(std::get<Admitted>(refresh(admitted, token(R"({"sub":"42","exp":1700000500,"jti":"n"})"))).token_id, "n");
  EXPECT_EQ(text(refresh(admitted, token(R"({"sub":"43"})"))), "disconnect 3500");
  EXPECT_EQ(text(refresh(admitted, token(R"({"sub":"42","exp":1})"))), "disconnect 3005");
  EXPECT_EQ(text(refresh(admitted, "garbage")), "disconnect 3500");
  EXPECT_EQ(text(refresh(admitted, "")), "disconnect 3501");
  auth.refresh_proxy_enabled = true;
  EXPECT_EQ(text(refresh(admitted, token(R"({"sub":"42"})"))), "disconnect 3501");
}

TEST_F(Gate, RefreshByTheBackendTellsItTheMeta) {
  Admitted admitted = user("42");
  admitted.meta = "{}";
  backend.on_refresh = RefreshAnswer{false, 1'700'000'100, "1", {}};
  std::optional<Verdict<Admitted>> result;
  gate().refresh_by_backend(who, admitted, [&](Verdict<Admitted> verdict) { result = std::move(verdict); });
  EXPECT_EQ(std::get<Admitted>(*result).expire_at, 1'700'000'100);
  EXPECT_THAT(backend.asked, ElementsAre("refresh 42 {}"));
  backend.on_refresh = RefreshAnswer{true, 0, {}, {}};
  gate().refresh_by_backend(who, admitted, [&](Verdict<Admitted> verdict) { result = std::move(verdict); });
  EXPECT_EQ(text(*result), "disconnect 3005");
}

// ── subscribe ───────────────────────────────────────────────────────────────────────────────────────────────────────

TEST_F(Gate, SubscribingFollowsTheNamespace) {
  EXPECT_EQ(text(subscribe(user("42"), "open:a")), "yes");
  EXPECT_EQ(text(subscribe(user(""), "open:a")), "error 103");
  channel.namespaces["open"].allow_subscribe_for_anonymous = true;
  EXPECT_EQ(text(subscribe(user(""), "open:a")), "yes");
  EXPECT_EQ(text(subscribe(user("42"), "closed:a")), "error 103");
  EXPECT_EQ(text(subscribe(user("42"), "unknown:a")), "error 102");
  EXPECT_EQ(text(subscribe(user("42"), "")), "disconnect 3501");
  EXPECT_EQ(text(subscribe(user("42"), std::string(255, 'x'))), "error 103");
  EXPECT_EQ(text(subscribe(user("42"), std::string(256, 'x'))), "error 107");
  EXPECT_EQ(text(subscribe(user("42"), "open:\n")), "error 107");
  EXPECT_EQ(text(subscribe(user("42"), "$open:a")), "error 103");
  auth.insecure = true;
  EXPECT_EQ(text(subscribe(user("42"), "closed:a")), "yes");
}

TEST_F(Gate, ATokenIsTheOnlyJudgeOfItsSubscription) {
  const auto ask = [&](const std::string& claims) { return text(subscribe(user("42"), "$closed:a", token(claims))); };
  EXPECT_EQ(ask(R"({"sub":"42","channel":"$closed:a"})"), "yes");
  EXPECT_EQ(ask(R"({"sub":"42","channel":"$closed:b"})"), "disconnect 3500");
  EXPECT_EQ(ask(R"({"sub":"43","channel":"$closed:a"})"), "disconnect 3500");
  EXPECT_EQ(ask(R"({"channel":"$closed:a"})"), "disconnect 3500");
  EXPECT_EQ(ask(R"({"sub":"42","channel":"$closed:a","client":"c1"})"), "yes");
  EXPECT_EQ(ask(R"({"sub":"42","channel":"$closed:a","client":"c2"})"), "disconnect 3500");
  EXPECT_EQ(ask(R"({"sub":"42","channel":"$closed:a","exp":1700000000})"), "error 109");
  EXPECT_EQ(ask(R"({"sub":"42"})"), "error 103");
  EXPECT_EQ(text(subscribe(user("42"), "open:a", "garbage")), "error 103");
}

TEST_F(Gate, ATokenMayOverrideOptions) {
  const auto granted = std::get<Granted>(
      subscribe(user("42"), "closed:a", token(R"({"sub":"42","channel":"closed:a","info":{"i":1},"exp":1700000100,
                "override":{"presence":{"value":true},"force_recovery":{"value":true}}})")));
  EXPECT_TRUE(granted.options.presence && granted.options.force_recovery);
  EXPECT_FALSE(granted.options.join_leave);
  EXPECT_EQ(granted.info, R"({"i":1})");
  EXPECT_EQ(granted.expire_at, 1'700'000'100);
}

TEST_F(Gate, SubscriptionTokensMayHaveKeysOfTheirOwn) {
  auth.subscription_token_enabled = true;
  auth.subscription_token.hmac_secret_key = "another one";
  const std::string claims = R"({"sub":"42","channel":"closed:a"})";
  EXPECT_EQ(text(subscribe(user("42"), "closed:a", token(claims))), "error 103");
  EXPECT_EQ(text(subscribe(user("42"), "closed:a", sign_token(Algorithm::hs256, "another one", claims).value())),
            "yes");
}

TEST_F(Gate, UserLimitedChannelsAreForTheirUsers) {
  EXPECT_EQ(text(subscribe(user("42"), "limited:d#42,43")), "yes");
  EXPECT_EQ(text(subscribe(user("4"), "limited:d#42,43")), "error 103");
  EXPECT_EQ(text(subscribe(user(""), "limited:d#")), "error 103");
  EXPECT_EQ(text(subscribe(user("42"), "closed:d#42")), "error 103");
  channel.namespaces["limited"].allow_subscribe_for_client = true;
  EXPECT_EQ(text(subscribe(user("4"), "limited:d#42,43")), "error 103");
}

TEST_F(Gate, NamesMustMatchThePatternAsAWhole) {
  channel.namespaces["open"].channel_regex = "[0-9]+";
  EXPECT_EQ(text(subscribe(user("42"), "open:12")), "yes");
  EXPECT_EQ(text(subscribe(user("42"), "open:12a")), "error 107");
  channel.namespaces["open"].channel_regex = "(a*)*b";
  EXPECT_EQ(text(subscribe(user("42"), "open:" + std::string(250, 'a'))), "error 107");
}

TEST_F(Gate, TheBackendJudgesSubscriptions) {
  channel.namespaces["open"].subscribe_proxy_enabled = true;
  SubscribeAnswer answer;
  answer.info = "7";
  answer.overrides.join_leave = true;
  backend.on_subscribe = answer;
  const auto granted = std::get<Granted>(subscribe(user("42"), "open:a"));
  EXPECT_EQ(granted.info, "7");
  EXPECT_TRUE(granted.options.join_leave);
  backend.on_subscribe = client_error::permission_denied;
  channel.namespaces["open"].subscribe_proxy_name = "mine";
  EXPECT_EQ(text(subscribe(user("42"), "open:a")), "error 103");
  EXPECT_THAT(backend.asked, ElementsAre("default:subscribe open:a 42", "mine open:a 42"));
}

TEST_F(Gate, CapabilitiesNameChannelsAndOperations) {
  Admitted admitted = user("42");
  admitted.capabilities = {{{"closed:room-*-x"}, "wildcard", true, false, false, false},
                           {{"closed:exact"}, "", false, true, true, false},
                           {{"closed:[0-9]+"}, "regex", true, true, false, true}};
  channel.namespaces["closed"].presence = true;
  EXPECT_EQ(text(subscribe(admitted, "closed:room-1-x")), "yes");
  EXPECT_EQ(text(subscribe(admitted, "closed:room-1-y")), "error 103");
  EXPECT_EQ(text(subscribe(admitted, "closed:exact")), "error 103");
  EXPECT_EQ(text(subscribe(admitted, "closed:17")), "yes");
  EXPECT_EQ(text(subscribe(admitted, "closed:17a")), "error 103");
  EXPECT_EQ(text(subscribe(admitted, "$closed:17")), "error 103");
  EXPECT_EQ(text(publish(admitted, "closed:exact")), "yes");
  EXPECT_EQ(text(publish(admitted, "closed:room-1-x")), "error 103");
  EXPECT_EQ(text(gate().presence(admitted, "closed:exact", false)), "yes");
  EXPECT_EQ(text(gate().presence(admitted, "closed:17", false)), "error 103");
}

TEST_F(Gate, SubRefreshTakesATokenOrAsksTheBackend) {
  const Granted granted{channel.namespaces["open"], "1", {}, 5, false};
  const auto next = sub_refresh(user("42"), granted, token(R"({"sub":"42","channel":"open:a","exp":1700000300})"));
  EXPECT_EQ(std::get<Granted>(next).expire_at, 1'700'000'300);
  EXPECT_EQ(text(sub_refresh(user("42"), granted, "")), "disconnect 3501");
  EXPECT_EQ(text(sub_refresh(user("42"), granted, "garbage")), "disconnect 3500");
  EXPECT_EQ(text(sub_refresh(user("42"), granted, token(R"({"sub":"42","channel":"open:b"})"))), "disconnect 3500");
  Granted proxied = granted;
  proxied.options.sub_refresh_proxy_enabled = true;
  backend.on_refresh = RefreshAnswer{false, 1'700'000'900, {}, {}};
  EXPECT_EQ(std::get<Granted>(sub_refresh(user("42"), proxied, "")).expire_at, 1'700'000'900);
  backend.on_refresh = RefreshAnswer{true, 0, {}, {}};
  EXPECT_EQ(text(sub_refresh(user("42"), proxied, "")), "error 110");
}

// ── publish, presence, history, rpc ─────────────────────────────────────────────────────────────────────────────────

TEST_F(Gate, PublishingFollowsTheNamespace) {
  EXPECT_EQ(text(publish(user("42"), "open:a")), "error 103");
  channel.namespaces["open"].allow_publish_for_subscriber = true;
  EXPECT_EQ(text(publish(user("42"), "open:a", "{}", false)), "error 103");
  EXPECT_EQ(text(publish(user("42"), "open:a", "{}", true)), "yes");
  EXPECT_EQ(text(publish(user(""), "open:a", "{}", true)), "error 103");
  channel.namespaces["open"].allow_publish_for_client = true;
  EXPECT_EQ(text(publish(user("42"), "open:a")), "yes");
  EXPECT_EQ(text(publish(user("42"), "open:a", "")), "error 107");
  EXPECT_EQ(text(publish(user("42"), "nowhere:a")), "error 102");
}

TEST_F(Gate, PublicationsHaveTheConfiguredFormat) {
  auto& options = channel.namespaces["open"];
  options.allow_publish_for_client = true;
  options.publication_data_format = "json";
  EXPECT_EQ(text(publish(user("42"), "open:a", "[1]")), "yes");
  EXPECT_EQ(text(publish(user("42"), "open:a", "[1")), "error 107");
  options.publication_data_format = "json_object";
  EXPECT_EQ(text(publish(user("42"), "open:a", " {}")), "yes");
  EXPECT_EQ(text(publish(user("42"), "open:a", "[1]")), "error 107");
  options.publication_data_format = "binary";
  EXPECT_EQ(text(publish(user("42"), "open:a", "\xff")), "yes");
}

TEST_F(Gate, TheBackendJudgesPublicationsAlone) {
  auto& options = channel.namespaces["open"];
  options.allow_publish_for_client = options.publish_proxy_enabled = true;
  backend.on_publish = client_error::permission_denied;
  EXPECT_EQ(text(publish(user("42"), "open:a")), "error 103");
  PublishAnswer answer;
  answer.data = "2";
  backend.on_publish = answer;
  EXPECT_EQ(std::get<PublishAnswer>(publish(user(""), "open:a")).data, "2");
  EXPECT_THAT(backend.asked, ElementsAre("default:publish open:a", "default:publish open:a"));
}

TEST_F(Gate, WhatIsOffIsNotAvailableThenThePermissionsCount) {
  EXPECT_EQ(text(gate().presence(user("42"), "open:a", true)), "error 108");
  EXPECT_EQ(text(gate().history(user("42"), "open:a", true)), "error 108");
  auto& options = channel.namespaces["open"];
  options.presence = true;
  options.history_size = 1;
  options.history_ttl = seconds(1);
  EXPECT_EQ(text(gate().presence(user("42"), "open:a", true)), "error 103");
  EXPECT_EQ(text(gate().history(user("42"), "open:a", true)), "error 103");
  options.allow_presence_for_client = options.allow_history_for_subscriber = true;
  EXPECT_EQ(text(gate().presence(user("42"), "open:a", false)), "yes");
  EXPECT_EQ(text(gate().history(user("42"), "open:a", false)), "error 103");
  EXPECT_EQ(text(gate().history(user("42"), "open:a", true)), "yes");
  EXPECT_EQ(text(gate().history(user("42"), "nowhere:a", true)), "error 102");
}

TEST_F(Gate, RpcGoesToTheBackendWhenThereIsOne) {
  EXPECT_EQ(call("x"), "error 108");
  EXPECT_EQ(call("users:x"), "error 108");
  auth.rpc.ping_enabled = true;
  EXPECT_EQ(call("ping"), "yes");
  EXPECT_EQ(call("x"), "error 108");
  auth.rpc.without_namespace.proxy_enabled = true;
  backend.on_rpc = client_error::method_not_found;
  EXPECT_EQ(call("x"), "error 104");
  EXPECT_THAT(backend.asked, ElementsAre("default:rpc x"));
}

TEST_F(Gate, RpcGoesToTheProxyOfTheMethodsNamespace) {
  auth.rpc.namespaces["users"] = {true, "people"};
  auth.rpc.namespaces["files"] = {true, "default"};
  auth.rpc.namespaces["closed"] = {false, "people"};
  EXPECT_EQ(call("users:find"), "yes");
  EXPECT_EQ(call("users:a:b"), "yes");
  EXPECT_EQ(call("files:list"), "yes");
  EXPECT_EQ(call("closed:x"), "error 108");
  EXPECT_EQ(call("x"), "error 108") << "without a namespace nothing is enabled";
  EXPECT_EQ(call("nowhere:x"), "error 104");
  EXPECT_EQ(call(":x"), "error 104");
  EXPECT_THAT(backend.asked, ElementsAre("people users:find", "people users:a:b", "default:rpc files:list"));
}

TEST_F(Gate, RpcBoundaryIsAsConfigured) {
  auth.rpc.namespaces["users"] = {true, "people"};
  auth.rpc.without_namespace.proxy_enabled = true;
  auth.rpc.namespace_boundary = "/";
  EXPECT_EQ(call("users/find"), "yes");
  EXPECT_EQ(call("users:find"), "yes");
  auth.rpc.namespace_boundary = "";
  EXPECT_EQ(call("users/find"), "yes");
  EXPECT_THAT(backend.asked, ElementsAre("people users/find", "default:rpc users:find", "default:rpc users/find"));
}

TEST_F(Gate, ServerSubscriptionsKnowTheirNamespace) {
  ServerSubscription subscription;
  subscription.overrides.force_recovery = true;
  EXPECT_TRUE(std::get<Granted>(gate().server_subscription("closed:a", subscription)).options.force_recovery);
  EXPECT_EQ(text(gate().server_subscription("nowhere:a", subscription)), "error 102");
}

TEST_F(Gate, AnswersOfOtherThreadsComeBackToTheLoop) {
  std::function<void()> fetched;
  std::vector<std::function<void()>> posted;
  auth.token = {};
  auth.token.jwks_public_endpoint = "https://keys.example/";
  const FetchDocument fetch = [&](const std::string&, Done<std::string> done) {
    fetched = [done = std::move(done)] { done(std::unexpected(Fault{})); };
  };
  const auto policy = make_policy(auth, channel, fetch).value();
  const auto keeper = make_gatekeeper({.policy = [&] { return policy; },
                                       .backend = nullptr,
                                       .revocations = nullptr,
                                       .wall_clock = [] { return now; },
                                       .post = [&](std::function<void()> job) { posted.push_back(std::move(job)); }});
  ConnectRequest request;
  request.token = token("{}");
  std::string result = "waiting";
  keeper->connect(who, request, [&](const Verdict<Admitted>& verdict) { result = text(verdict); });
  std::jthread(fetched).join();
  EXPECT_EQ(result, "waiting");
  ASSERT_EQ(posted.size(), 1U);
  posted.front()();
  EXPECT_EQ(result, "error 100");
}

// ── Revocations ─────────────────────────────────────────────────────────────────────────────────────────────────────

TEST_F(Gate, RevokedTokensAreNotBelieved) {
  revocations.revoke_token("t1", now + seconds(10), [](const Outcome<void>& done) { EXPECT_TRUE(done); });
  EXPECT_EQ(text(connect_with(R"({"sub":"42","jti":"t1"})")), "disconnect 3500");
  EXPECT_EQ(text(connect_with(R"({"sub":"42","jti":"t2"})")), "yes");
  EXPECT_EQ(text(refresh(user("42"), token(R"({"sub":"42","jti":"t1"})"))), "disconnect 3500");
  EXPECT_EQ(text(subscribe(user("42"), "open:a", token(R"({"sub":"42","jti":"t1","channel":"open:a"})"))), "error 103");
  const auto granted = subscribe(user("42"), "open:a", token(R"({"sub":"42","jti":"t2","iat":7,"channel":"open:a"})"));
  ASSERT_TRUE(std::get<Granted>(granted).token) << "it may be revoked later";
  EXPECT_EQ(std::get<Granted>(granted).token->id, "t2");
  EXPECT_EQ(std::get<Granted>(granted).token->issued_at, 7);
  time = now + seconds(10);
  EXPECT_EQ(text(connect_with(R"({"sub":"42","jti":"t1"})")), "yes");
}

TEST_F(Gate, RevokedUsersNeedANewerToken) {
  revocations.revoke_user("42", now, now + seconds(1000), [](const Outcome<void>& done) { EXPECT_TRUE(done); });
  EXPECT_EQ(text(connect_with(R"({"sub":"42","iat":1699999999})")), "disconnect 3500");
  EXPECT_EQ(text(connect_with(R"({"sub":"42","iat":1700000000})")), "yes");
  EXPECT_EQ(text(connect_with(R"({"sub":"42"})")), "disconnect 3500");
  EXPECT_EQ(text(connect_with(R"({"sub":"43"})")), "yes");
  Admitted open = user("42");
  open.issued_at = 1'699'999'999;
  EXPECT_TRUE(revocations.is_revoked(open, now));
  open.issued_at = 1'700'000'000;
  EXPECT_FALSE(revocations.is_revoked(open, now));
}

TEST_F(Gate, RevocationsOutliveTheProcess) {
  revocations.revoke_token("t1", now + seconds(10), [](const Outcome<void>&) {});
  revocations.revoke_user("42", now, now + seconds(10), [](const Outcome<void>&) {});
  revocations.revoke_user("42", now - seconds(5), now + seconds(5), [](const Outcome<void>&) {});
  store.tables["revoked_tokens"]["torn"] = "x";
  Revocations later(store);
  bool loaded = false;
  later.load([&](const Outcome<void>& done) { loaded = done.has_value(); });
  EXPECT_TRUE(loaded);
  EXPECT_EQ(later.size(), 2U);
  EXPECT_TRUE(later.is_revoked("", "t1", 0, now));
  EXPECT_TRUE(later.is_revoked("42", "", 1'699'999'999, now + seconds(9)));
  EXPECT_FALSE(later.is_revoked("42", "", 1'699'999'999, now + seconds(10)));
}

TEST_F(Gate, RevocationsNeedAName) {
  bool refused = false;
  revocations.revoke_token("", now, [&](const Outcome<void>& done) { refused = !done; });
  EXPECT_TRUE(refused);
  revocations.revoke_user(std::string(Revocations::name_limit_bytes + 1, 'x'), now, now,
                          [&](const Outcome<void>& done) { refused = !done; });
  EXPECT_TRUE(refused);
  EXPECT_EQ(revocations.size(), 0U);
}

}  // namespace
}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
#include "api/core.h"

#include "api/methods.h"
#include "api/testing/fake_control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::server {
namespace {

using ::testing::ElementsAre;
using testing::FakeControl;
using ::testing::HasSubstr;

struct Asked {
  int status = 0;
  std::string body;
  int answers = 0;
};

class Api : public ::testing::Test {
 protected:
  FakeControl control;
  ApiCore core{control, {.key = "secret", .max_body_bytes = 1024}};
  Headers headers{{"X-API-Key", "secret"}};

  Asked ask(std::string_view method, std::string body, std::optional<std::string> query_key = std::nullopt) {
    Asked asked;
    core.handle(method, headers, query_key, std::move(body),
                [&asked](ApiReply reply) { asked = {reply.status, std::move(reply.body), asked.answers + 1}; });
    EXPECT_EQ(asked.answers, 1);
    return asked;
  }
  std::string body_of(std::string_view method, std::string body) { return ask(method, std::move(body)).body; }
  std::string refusal(std::string_view method, std::string body) {
    const auto asked = ask(method, std::move(body));
    EXPECT_EQ(asked.status, 200);
    EXPECT_THAT(asked.body, HasSubstr(R"("code":107)"));
    EXPECT_TRUE(control.asked.empty());
    return asked.body;
  }
};

using ApiKey = Api;
using ApiMethods = Api;
using ApiFields = Api;
using ApiBatch = Api;
using ApiLegacy = Api;
using ApiErrors = Api;

// ── The key ─────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST_F(ApiKey, IsTakenFromEachOfItsThreePlaces) {
  EXPECT_EQ(ask("info", "{}").status, 200);
  headers = {{"Authorization", "apikey secret"}};
  EXPECT_EQ(ask("info", "{}").status, 200);
  headers = {};
  EXPECT_EQ(ask("info", "{}", "secret").status, 200);
}

TEST_F(ApiKey, MissingOrWrongIs401) {
  for (const Headers& wrong : {Headers{}, Headers{{"X-API-Key", ""}}, Headers{{"X-API-Key", "secret2"}},
                               Headers{{"X-API-Key", "secre"}}, Headers{{"Authorization", "secret"}},
                               Headers{{"Authorization", "Bearer secret"}}, Headers{{"Authorization", "apikey "}}}) {
    headers = wrong;
    EXPECT_EQ(ask("info", "{}").status, 401);
  }
  EXPECT_EQ(ask("info", "{}", "").status, 401);
  EXPECT_TRUE(control.asked.empty());
}

TEST_F(ApiKey, WithoutOneConfiguredNobodyIsServedUnlessInsecure) {
  core.reconfigure({});
  headers = {{"X-API-Key", ""}};
  EXPECT_EQ(ask("info", "{}").status, 401);
  core.reconfigure({.key = {}, .insecure = true});
  headers = {};
  EXPECT_EQ(ask("info", "{}").status, 200);
}

// ── Methods ─────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST_F(ApiMethods, PublishCarriesEveryField) {
  EXPECT_EQ(body_of("publish", R"({"channel":"news","data":{"n": 10000000000000000000000},"skip_history":true,
    "tags":{"a":"b"},"key":"k","idempotency_key":"i","delta":true,"version":18446744073709551615,
    "version_epoch":"e","unknown":[1]})"),
            R"({"result":{"offset":7,"epoch":"abcd"}})");
  EXPECT_THAT(control.asked, ElementsAre("publish news"));
  const auto& call = control.published;
  EXPECT_EQ(call.data, R"({"n": 10000000000000000000000})");
  EXPECT_TRUE(call.json && call.skip_history && call.delta);
  EXPECT_EQ(call.tags.at("a"), "b");
  EXPECT_EQ(call.key + call.idempotency_key + call.version_epoch, "kie");
  EXPECT_EQ(call.version, UINT64_MAX);
}

TEST_F(ApiMethods, PublishWithoutHistoryAnswersAnEmptyResult) {
  control.position = {};
  EXPECT_EQ(body_of("publish", R"({"channel":"news","data":1})"), R"({"result":{}})");
}

TEST_F(ApiMethods, LineBreaksBetweenTokensOfDataAreDropped) {
  body_of("publish", "{\"channel\":\"news\",\"data\":{\"a\":\r\n [1,\n2],\"b\":\"\\n\"}}");
  EXPECT_EQ(control.published.data, "{\"a\": [1,2],\"b\":\"\\n\"}");
}

TEST_F(ApiMethods, BytesGoBeforeDataAndAreJsonWhenTheyAre) {
  body_of("publish", R"({"channel":"news","data":1,"b64data":"//4="})");
  EXPECT_EQ(control.published.data, "\xff\xfe");
  EXPECT_FALSE(control.published.json);
  body_of("publish", R"({"channel":"news","b64data":"eyJhIjoxfQ=="})");
  EXPECT_EQ(control.published.data, R"({"a":1})");
  EXPECT_TRUE(control.published.json);
}

TEST_F(ApiMethods, NullIsDataLikeAnyValueAndNothingElsewhere) {
  EXPECT_EQ(body_of("publish", R"({"channel":"news","data": null})"), R"({"result":{"offset":7,"epoch":"abcd"}})");
  EXPECT_EQ(control.published.data, "null");
  EXPECT_TRUE(control.published.json);
  body_of("broadcast", R"({"channels":["a","b"],"data":null})");
  EXPECT_EQ(control.published.data, "null");
  body_of("publish", R"({"channel":"news","data":null,"b64data":"//4="})");
  EXPECT_EQ(control.published.data, "\xff\xfe");
  body_of("subscribe", R"({"user":"u","channel":"news","info":null,"data":null})");
  EXPECT_EQ(control.subscribed.subscription.info, "");
  EXPECT_EQ(control.subscribed.subscription.data, "");
}

TEST_F(ApiMethods, BroadcastAnswersForEachChannel) {
  EXPECT_EQ(body_of("broadcast", R"({"channels":["a","b"],"data":"x"})"),
            R"({"result":{"responses":[{"result":{"offset":7,"epoch":"abcd"}},)"
            R"({"error":{"code":102,"message":"unknown channel"}}]}})");
  EXPECT_THAT(control.channels_broadcast, ElementsAre("a", "b"));
}

TEST_F(ApiMethods, SubscribeCarriesEveryField) {
  EXPECT_EQ(body_of("subscribe", R"({"user":"u","client":"c","session":"s","channel":"news","info":{"i":1},
    "data":[2],"expire_at":5,"recover_since":{"offset":3,"epoch":"e"},
    "override":{"presence":{"value":true},"force_recovery":{"value":false},"slow_policy":{"value":"sample"},
      "slow_queue_messages":{"value":1000000},"slow_sample_per_second":{"value":2.5}}})"),
            R"({"result":{}})");
  const auto& call = control.subscribed;
  EXPECT_EQ(call.whom.user + call.whom.client + call.whom.session, "ucs");
  EXPECT_EQ(call.subscription.info, R"({"i":1})");
  EXPECT_EQ(call.subscription.data, "[2]");
  EXPECT_EQ(call.subscription.expire_at, 5);
  EXPECT_EQ(call.recover_since, (StreamPosition{3, "e"}));
  EXPECT_EQ(call.subscription.overrides.presence, true);
  EXPECT_EQ(call.subscription.overrides.force_recovery, false);
  EXPECT_FALSE(call.subscription.overrides.join_leave);
  EXPECT_EQ(call.subscription.overrides.slow_policy, SlowPolicy::sample);
  EXPECT_EQ(call.subscription.overrides.slow_queue_messages, 1'000'000U);
  EXPECT_EQ(call.subscription.overrides.slow_sample_per_second, 2.5);
}

TEST_F(ApiMethods, SubscribeLeavesTheChannelsSlowPolicyAloneUnlessItSaysOtherwise) {
  body_of("subscribe", R"({"user":"u","channel":"news","override":{"slow_policy":null,"slow_queue_messages":{}}})");
  EXPECT_FALSE(control.subscribed.subscription.overrides.slow_policy);
  EXPECT_FALSE(control.subscribed.subscription.overrides.slow_queue_messages);
  EXPECT_FALSE(control.subscribed.subscription.overrides.slow_sample_per_second);
}

TEST_F(ApiMethods, DisconnectHasADefaultReason) {
  body_of("disconnect", R"({"user":"ann"})");
  EXPECT_EQ(control.disconnected.reason, disconnect_reason::force_disconnect);
  body_of("disconnect", R"({"user":"ann","whitelist":["c1"],"disconnect":{"code":4501,"reason":"bye"}})");
  EXPECT_EQ(control.disconnected.reason, (DisconnectReason{4501, "bye"}));
  EXPECT_THAT(control.disconnected.whitelist, ElementsAre("c1"));
}

TEST_F(ApiMethods, UnsubscribeAndRefreshReachTheirConnections) {
  body_of("unsubscribe", R"({"client":"c","channel":"news"})");
  EXPECT_EQ(control.unsubscribed.whom.client + control.unsubscribed.channel, "cnews");
  body_of("refresh", R"({"user":"u","expired":true,"expire_at":9,"info":1})");
  EXPECT_TRUE(control.refreshed.answer.expired);
  EXPECT_EQ(control.refreshed.answer.expire_at, 9);
}

TEST_F(ApiMethods, HistoryAnswersPublicationsAndTheTop) {
  control.fill();
  EXPECT_EQ(body_of("history", R"({"channel":"news","limit":-1,"since":{"offset":1,"epoch":"x"},"reverse":true})"),
            R"({"result":{"publications":[{"data":{"a":1},"offset":5,"time":1700000000000,"key":"k","version":9,)"
            R"("info":{"user":"ann","client":"c1","conn_info":{"n":1},"chan_info":"b"},"tags":{"t":"v"}},)"
            R"({"b64data":"/w=="}],"offset":7,"epoch":"abcd"}})");
  EXPECT_EQ(control.read_history.limit, -1);
  EXPECT_EQ(control.read_history.since, (StreamPosition{1, "x"}));
  EXPECT_TRUE(control.read_history.reverse);
}

TEST_F(ApiMethods, PresenceIsByClient) {
  control.fill();
  EXPECT_THAT(body_of("presence", R"({"channel":"news"})"),
              HasSubstr(R"("c2":{"user":"bob","client":"c2","b64conn_info":"/w==","b64chan_info":"/g=="})"));
  EXPECT_EQ(body_of("presence_stats", R"({"channel":"news"})"), R"({"result":{"num_clients":2,"num_users":1}})");
}

TEST_F(ApiMethods, InfoIsServedWithoutABody) {
  control.fill();
  EXPECT_THAT(body_of("info", ""), HasSubstr(R"("num_subs":4,"uptime":5,"metrics":{"items":{"connects":6}})"));
}

TEST_F(ApiMethods, EventsAreReadAndAcknowledged) {
  control.fill();
  EXPECT_THAT(body_of("events", R"({"after":2,"limit":10})"), HasSubstr(R"("kind":"disconnected")"));
  EXPECT_EQ(control.events_after, 2U);
  EXPECT_EQ(control.events_limit, 10U);
  EXPECT_EQ(body_of("events_acknowledge", R"({"sequence":3})"), R"({"result":{}})");
  EXPECT_EQ(control.acknowledged, 3U);
}

TEST_F(ApiMethods, RpcAnswersJsonAndBytes) {
  body_of("rpc", R"({"method":"m","params":{"a":1}})");
  EXPECT_EQ(control.called.method + control.called.params, R"(m{"a":1})");
  control.rpc_data = "\xff";
  EXPECT_EQ(body_of("rpc", R"({"method":"m"})"), R"({"result":{"b64data":"/w=="}})");
}

TEST_F(ApiMethods, TokensAndTracesReachTheNode) {
  control.fill();
  body_of("revoke_token", R"({"uid":"t1","expire_at":5})");
  EXPECT_EQ(control.revoked.id, "t1");
  body_of("invalidate_user_tokens", R"({"user":"ann","issued_before":7})");
  EXPECT_EQ(control.invalidated.issued_before, 7);
  EXPECT_THAT(body_of("trace", R"({"client":"c1","channel":"news","offset":5})"), HasSubstr(R"("verdict":"filtered")"));
  EXPECT_THAT(body_of("trace", R"({"user":"ann","channel":"news"})"), HasSubstr(R"("client":"c1","records")"));
  EXPECT_EQ(control.traced.user, "ann");
  EXPECT_THAT(body_of("connections", R"({"user":"ann","limit":3})"), HasSubstr(R"("more":true)"));
  EXPECT_EQ(control.listed.limit, 3U);
}

TEST_F(ApiMethods, UnknownIs404) {
  EXPECT_EQ(ask("nothing", "{}").status, 404);
  EXPECT_EQ(ask("publish/", "{}").status, 404);
}

TEST_F(ApiMethods, BodyAtTheLimitIsReadAndAboveIs413) {
  const std::string shell = R"({"channel":"n","data":""})";
  auto request = [&](std::size_t size) {
    return R"({"channel":"n","data":")" + std::string(size - shell.size(), 'x') + R"("})";
  };
  EXPECT_EQ(ask("publish", request(1024)).status, 200);
  EXPECT_EQ(ask("publish", request(1025)).status, 413);
}

// ── Fields ──────────────────────────────────────────────────────────────────────────────────────────────────────────

struct Refused {
  std::string_view method, body, sentence;
};

TEST_F(ApiFields, BrokenOnesAreNamed) {
  const Refused table[] = {
      {"publish", R"({"data":1})", R"(field \"channel\" is required)"},
      {"publish", R"({"channel":"","data":1})", R"(field \"channel\" is required)"},
      {"publish", R"({"channel":null,"data":1})", R"(field \"channel\" is required)"},
      {"publish", R"({"channel":7,"data":1})", R"(field \"channel\" must be a string)"},
      {"publish", R"({"channel":"a"})", R"(field \"data\" is required)"},
      {"publish", R"({"channel":"a","b64data":"x"})", R"(field \"b64data\" must be base64)"},
      {"publish", R"({"channel":"a","b64data":"//5="})", R"(field \"b64data\" must be base64)"},
      {"publish", R"({"channel":"a","data":1,"tags":{"a":1}})", R"(field \"tags\" must be an object of strings)"},
      {"publish", R"({"channel":"a","data":1,"tags":[]})", R"(field \"tags\" must be an object of strings)"},
      {"publish", R"({"channel":"a","data":1,"version":-1})", R"(field \"version\" must be a whole number)"},
      {"publish", R"({"channel":"a","data":1,"version":1.5})", R"(field \"version\" must be a whole number)"},
      {"publish", R"({"channel":"a","data":1,"version":"1"})", R"(field \"version\" must be a whole number)"},
      {"publish", R"({"channel":"a","data":1,"version_epoch":"e"})", R"(needs \"version\")"},
      {"publish", R"({"channel":"a","data":1,"delta":"yes"})", R"(field \"delta\" must be true or false)"},
      {"broadcast", R"({"channels":[],"data":1})", R"(field \"channels\" is required)"},
      {"broadcast", R"({"channels":["a",1],"data":1})", R"(field \"channels\" must be an array of strings)"},
      {"subscribe", R"({"channel":"a"})", "is required"},
      {"subscribe", R"({"user":"u","channel":"a","recover_since":{"offset":"x"}})", R"(\"recover_since.offset\" must)"},
      {"subscribe", R"({"user":"u","channel":"a","override":{"presence":true}})",
       R"(field \"override.presence\" must be an object)"},
      {"subscribe", R"({"user":"u","channel":"a","override":{"slow_policy":{"value":"faster"}}})",
       R"(\"override.slow_policy.value\" must be one of \"disconnect\", \"drop_oldest\", \"sample\", \"conflate\")"},
      {"subscribe", R"({"user":"u","channel":"a","override":{"slow_queue_messages":{"value":0}}})",
       R"(\"override.slow_queue_messages.value\" must be between 1 and 1000000)"},
      {"subscribe", R"({"user":"u","channel":"a","override":{"slow_sample_per_second":{"value":0.0009}}})",
       R"(\"override.slow_sample_per_second.value\" must be between 0.001 and 10000)"},
      {"subscribe", R"({"user":"u","channel":"a","override":{"slow_sample_per_second":{"value":"1"}}})",
       R"(\"override.slow_sample_per_second.value\" must be a number)"},
      {"disconnect", "{}", "is required"},
      {"disconnect", R"({"user":"u","disconnect":{"code":2999}})", R"(\"disconnect.code\" must be between 3000 and)"},
      {"disconnect", R"({"user":"u","disconnect":{"code":5000}})", R"(\"disconnect.code\" must be between 3000 and)"},
      {"history", R"({"channel":"a","limit":2147483648})", R"(field \"limit\" must be between)"},
      {"connections", R"({"limit":10001})", R"(field \"limit\" must be between 0 and 10000)"},
      {"info", "[]", "must be an object"},
      {"info", "{", "not valid JSON"},
      {"info", "{}{}", "not valid JSON"},
      {"info", "\"\xff\"", "not valid JSON"},
      {"batch", "{}", R"(field \"commands\" must be an array)"},
      {"batch", R"({"commands":[],"parallel":1})", R"(field \"parallel\" must be true or false)"},
  };
  for (const auto& row : table) {
    EXPECT_THAT(refusal(row.method, std::string(row.body)), HasSubstr(row.sentence)) << row.method << " " << row.body;
  }
}

TEST_F(ApiFields, ReasonOfADisconnectFitsACloseFrame) {
  core.reconfigure({.key = {}, .insecure = true});
  const auto request = [](std::size_t length) {
    return R"({"user":"u","disconnect":{"code":4000,"reason":")" + std::string(length, 'r') + R"("}})";
  };
  EXPECT_THAT(refusal("disconnect", request(124)), HasSubstr("disconnect.reason"));
  EXPECT_EQ(body_of("disconnect", request(123)), R"({"result":{}})");
}

TEST_F(ApiFields, TagsAreBounded) {
  core.reconfigure({.key = {}, .insecure = true});
  const auto request = [](std::size_t count) {
    std::string tags;
    for (std::size_t i = 0; i < count; ++i) tags += (i == 0 ? "\"" : ",\"") + std::to_string(i) + R"(":"v")";
    return R"({"channel":"a","data":1,"tags":{)" + tags + "}}";
  };
  EXPECT_THAT(refusal("publish", request(api_limits::tags + 1)), HasSubstr("more than 64 members"));
  EXPECT_THAT(body_of("publish", request(api_limits::tags)), HasSubstr("result"));
}

TEST_F(ApiFields, NestingIsBounded) {
  core.reconfigure({.key = {}, .insecure = true});
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_THAT(refusal("publish", R"({"channel":"a","data":)" + deep + "}"), HasSubstr("not valid JSON"));
}

// ── Batches ─────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST_F(ApiBatch, RepliesKeepTheOrderOfTheCommands) {
  EXPECT_EQ(body_of("batch", R"({"commands":[{"publish":{"channel":"a","data":1}},{"presence_stats":{"channel":"b"}},
    {"publish":{"channel":"c"}},{"nothing":{}},{"info":null},7,{}]})"),
            R"({"result":{"replies":[{"publish":{"offset":7,"epoch":"abcd"}},)"
            R"({"presence_stats":{"num_clients":2,"num_users":1}},)"
            R"({"error":{"code":107,"message":"field \"data\" is required"}},)"
            R"({"error":{"code":104,"message":"method not found"}},{"info":{"nodes":[]}},)"
            R"({"error":{"code":107,"message":"a command must be an object that names a method"}},)"
            R"({"error":{"code":107,"message":"a command must be an object that names a method"}}]}})");
  EXPECT_THAT(control.asked, ElementsAre("publish a", "presence_stats b", "info"));
}

TEST_F(ApiBatch, IsNoCommandOfABatch) {
  EXPECT_THAT(body_of("batch", R"({"commands":[{"batch":{"commands":[]}}]})"), HasSubstr(R"("code":104)"));
}

TEST_F(ApiBatch, EmptyOneIsAnsweredAtOnce) {
  EXPECT_EQ(body_of("batch", R"({"commands":[]})"), R"({"result":{"replies":[]}})");
  EXPECT_EQ(body_of("batch", R"({"commands":[],"parallel":true})"), R"({"result":{"replies":[]}})");
}

TEST_F(ApiBatch, InOrderOneWaitsForTheOther) {
  control.hold = true;
  std::string answer;
  core.handle("batch", headers, std::nullopt, R"({"commands":[{"info":{}},{"history_remove":{"channel":"a"}}]})",
              [&](const ApiReply& reply) { answer = reply.body; });
  EXPECT_THAT(control.asked, ElementsAre("info"));
  EXPECT_EQ(control.release(), 1U);
  EXPECT_THAT(control.asked, ElementsAre("info", "history_remove a"));
  EXPECT_EQ(answer, "");
  EXPECT_EQ(control.release(), 1U);
  EXPECT_EQ(answer, R"({"result":{"replies":[{"info":{"nodes":[]}},{"history_remove":{}}]}})");
}

TEST_F(ApiBatch, ParallelOnesAreAskedAtOnce) {
  control.hold = true;
  std::string answer;
  core.handle("batch", headers, std::nullopt,
              R"({"parallel":true,"commands":[{"info":{}},{"history_remove":{"channel":"a"}}]})",
              [&](const ApiReply& reply) { answer = reply.body; });
  EXPECT_THAT(control.asked, ElementsAre("info", "history_remove a"));
  EXPECT_EQ(control.release(), 2U);
  EXPECT_EQ(answer, R"({"result":{"replies":[{"info":{"nodes":[]}},{"history_remove":{}}]}})");
}

TEST_F(ApiBatch, ManyAnswersAtOnceNeedNoDeepStack) {
  core.reconfigure({.key = {}, .insecure = true});
  const auto request = [](std::size_t count) {
    std::string commands;
    for (std::size_t i = 0; i < count; ++i) commands += i == 0 ? R"({"info":{}})" : R"(,{"info":{}})";
    return R"({"commands":[)" + commands + "]}";
  };
  EXPECT_THAT(refusal("batch", request(api_limits::batch_commands + 1)), HasSubstr("more than 10000 items"));
  EXPECT_THAT(body_of("batch", request(api_limits::batch_commands)), HasSubstr("result"));
  EXPECT_EQ(control.asked.size(), api_limits::batch_commands);
}

TEST_F(ApiLegacy, LinesAreAnsweredByLines) {
  EXPECT_EQ(body_of("",
                    "{\"method\":\"publish\",\"params\":{\"channel\":\"a\",\"data\":1}}\n\r\n"
                    "{\"method\":\"info\"}\n{\"method\":\"x\",\"params\":{}}\nbroken\n{\"params\":{}}"),
            "{\"result\":{\"offset\":7,\"epoch\":\"abcd\"}}\n{\"result\":{\"nodes\":[]}}\n"
            "{\"error\":{\"code\":104,\"message\":\"method not found\"}}\n"
            "{\"error\":{\"code\":107,\"message\":\"a line must be an object\"}}\n"
            "{\"error\":{\"code\":107,\"message\":\"field \\\"method\\\" must be a string\"}}\n");
  EXPECT_THAT(body_of("", " \n"), HasSubstr("no command"));
}

// ── Errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST_F(ApiErrors, AreAnsweredWith200) {
  control.error = client_error::unknown_channel;
  const auto asked = ask("publish", R"({"channel":"x:a","data":1})");
  EXPECT_EQ(asked.status, 200);
  EXPECT_EQ(asked.body, R"({"error":{"code":102,"message":"unknown channel"}})");
}

TEST_F(ApiErrors, HaveAStatusWhereTheConfigurationSaysSo) {
  HttpApiSettings by_status;
  by_status.insecure = true;
  by_status.error_mode = "transport";
  core.reconfigure(by_status);
  control.error = client_error::unknown_channel;
  EXPECT_EQ(ask("info", "{}").status, 404);
  headers.set("X-Centrifugo-Error-Mode", "body");
  EXPECT_EQ(ask("info", "{}").status, 200);
}

TEST_F(ApiErrors, HaveAStatusInTheTransportsMode) {
  headers.set("X-Centrifugo-Error-Mode", "transport");
  const std::pair<ClientError, int> table[] = {{client_error::internal, 500},
                                               {client_error::unknown_channel, 404},
                                               {client_error::permission_denied, 403},
                                               {client_error::bad_request, 400},
                                               {client_error::not_available, 400},
                                               {client_error::too_many_requests, 429},
                                               {client_error::unrecoverable_position, 416},
                                               {api_error::conflict, 409}};
  for (const auto& [error, status] : table) {
    control.error = error;
    const auto asked = ask("info", "{}");
    EXPECT_EQ(asked.status, status) << error.message;
    EXPECT_THAT(asked.body, HasSubstr("{\"code\":" + std::to_string(error.code)));
  }
}

TEST_F(ApiErrors, FaultsTellTheirCodeAndNotTheirSentence) {
  EXPECT_EQ(client_error_of({FaultKind::full, "the disk is full"}), client_error::internal);
  EXPECT_EQ(client_error_of({FaultKind::invalid, "x"}), client_error::bad_request);
  EXPECT_EQ(client_error_of({FaultKind::unsupported, "x"}), client_error::not_available);
}

}  // namespace
}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
// Golden frames of the JSON protocol, and what is no frame of it.
#include "protocol/centrifuge/json_codec.h"

#include "model/json.h"

#include <gtest/gtest.h>

#include <random>

namespace fairlead::server::centrifuge {
namespace {

const JsonCodec codec{CodecLimits{}};

std::expected<std::vector<Command>, DisconnectReason> decode(std::string_view frame) {
  return codec.decode(as_bytes(frame));
}

Command only(std::string_view frame) {
  const auto commands = decode(frame);
  EXPECT_TRUE(commands) << frame;
  EXPECT_EQ(commands ? commands->size() : 0, 1U) << frame;
  return commands && !commands->empty() ? commands->front() : Command{};
}

template <class Body>
Command command(std::uint32_t id, Body body) {
  Command made;
  made.id = id;
  made.body = std::move(body);
  return made;
}

// ── Commands ────────────────────────────────────────────────────────────────────────────────────────────────────────
TEST(JsonCommands, ConnectHasAllItsFields) {
  ConnectRequest connect;
  connect.token = "t";
  connect.data = R"({"a": 1})";
  connect.name = "js";
  connect.version = "1";
  connect.headers = {{"x", "y"}};
  connect.flag = 3;
  connect.subs["news"].recover = true;
  connect.subs["news"].since = {18446744073709551615U, "ep"};
  EXPECT_EQ(only(R"({"id":1,"connect":{"token":"t","data":{"a": 1},"subs":{"news":{"recover":true,)"
                 R"("offset":18446744073709551615,"epoch":"ep"}},"name":"js","version":"1","headers":{"x":"y"},)"
                 R"("flag":3,"dict":"ignored"}})"),
            command(1, connect));
  EXPECT_EQ(only(R"({"connect":{},"id":1})"), command(1, ConnectRequest{}));
}

TEST(JsonCommands, SubscribeHasAllItsFields) {
  SubscribeRequest subscribe;
  subscribe.channel = "news";
  subscribe.token = "t";
  subscribe.recover = subscribe.positioned = subscribe.recoverable = subscribe.join_leave = true;
  subscribe.since = {7, "ep"};
  subscribe.data = "[1]";
  subscribe.delta = "fossil";
  subscribe.flag = -1;
  subscribe.type = 1;
  subscribe.filter.emplace().op = "or";
  subscribe.filter->nodes.resize(2);
  subscribe.filter->nodes[0].key = "k";
  subscribe.filter->nodes[0].cmp = "in";
  subscribe.filter->nodes[0].vals = {"a", "b"};
  subscribe.filter->nodes[1].val = "v";
  EXPECT_EQ(
      only(R"({"id":2,"subscribe":{"channel":"news","token":"t","recover":true,"epoch":"ep","offset":7,)"
           R"("data":[1],"positioned":true,"recoverable":true,"join_leave":true,"delta":"fossil","tf":{"op":"or",)"
           R"("nodes":[{"key":"k","cmp":"in","vals":["a","b"]},{"val":"v"}]},"flag":-1,"type":1,"phase":2}})"),
      command(2, subscribe));
}

TEST(JsonCommands, OthersHaveTheirFields) {
  EXPECT_EQ(only(R"({"id":3,"unsubscribe":{"channel":"a"}})"), command(3, UnsubscribeRequest{"a"}));
  EXPECT_EQ(only(R"({"id":4,"publish":{"channel":"a","data":"x","type":1,"key":"k"}})"),
            command(4, PublishRequest{"a", "\"x\"", 1, "k"}));
  EXPECT_EQ(only(R"({"id":5,"presence":{"channel":"a"}})"), command(5, PresenceRequest{"a"}));
  EXPECT_EQ(only(R"({"id":6,"presence_stats":{"channel":"a"}})"), command(6, PresenceStatsRequest{"a"}));
  EXPECT_EQ(only(R"({"id":7,"history":{"channel":"a","limit":-1,"since":{"offset":3,"epoch":"e"},"reverse":true}})"),
            command(7, HistoryRequest{"a", -1, StreamPosition{3, "e"}, true}));
  EXPECT_EQ(only(R"({"id":7,"history":{"channel":"a"}})"), command(7, HistoryRequest{"a", 0, std::nullopt, false}));
  EXPECT_EQ(only(R"({"id":8,"ping":{}})"), command(8, PingRequest{}));
  EXPECT_EQ(only(R"({"send":{"data":null}})"), command(0, SendRequest{"null"}));
  EXPECT_EQ(only(R"({"id":9,"rpc":{"data":1.50,"method":"m"}})"), command(9, RpcRequest{"1.50", "m"}));
  EXPECT_EQ(only(R"({"id":10,"refresh":{"token":"t"}})"), command(10, RefreshRequest{"t"}));
  EXPECT_EQ(only(R"({"id":11,"sub_refresh":{"channel":"a","token":"t","type":1}})"),
            command(11, SubRefreshRequest{"a", "t", 1}));
}

TEST(JsonCommands, EmptyObjectIsAPong) {
  EXPECT_TRUE(only("{}").is_pong());
  EXPECT_TRUE(only("{}\n").is_pong());
  EXPECT_FALSE(only(R"({"id":1})").is_pong());
  EXPECT_TRUE(std::holds_alternative<std::monostate>(only(R"({"id":1,"connect":null})").body));
}

TEST(JsonCommands, SeveralMakeAFrame) {
  const auto commands = decode("{\"id\":1,\"connect\":{}}\n{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}\n{}\n");
  ASSERT_TRUE(commands);
  ASSERT_EQ(commands->size(), 3U);
  EXPECT_EQ((*commands)[1].id, 2U);
  EXPECT_TRUE((*commands)[2].is_pong());
}

TEST(JsonCommands, FirstInTheProtocolsOrderCounts) {
  for (const char* frame :
       {R"({"id":1,"rpc":{},"ping":{},"publish":{}})", R"({"id":1,"ping":{},"publish":{},"rpc":{}})"})
    EXPECT_EQ(only(frame), command(1, PingRequest{}));
  EXPECT_EQ(only(R"({"id":1,"send":{},"rpc":{}})"), command(1, RpcRequest{}));
}

TEST(JsonCommands, LastOfEqualMembersCounts) {
  EXPECT_EQ(only(R"({"id":1,"id":2,"rpc":{"method":"a","method":"b"}})"), command(2, RpcRequest{"", "b"}));
  EXPECT_EQ(only(R"({"id":1,"rpc":{"method":"a"},"rpc":{"data":1}})"), command(1, RpcRequest{"1", ""}));
}

TEST(JsonCommands, NullIsAsGoodAsNothing) {
  EXPECT_EQ(only(R"({"id":1,"subscribe":{"channel":null,"recover":null,"offset":null,"tf":null,"flag":null}})"),
            command(1, SubscribeRequest{}));
  EXPECT_EQ(only(R"({"id":1,"connect":{"subs":null,"headers":null}})"), command(1, ConnectRequest{}));
}

TEST(JsonCommands, PayloadIsKeptAsItIsWritten) {
  EXPECT_EQ(only(R"({"id":1,"rpc":{"data": {"b" : 1, "a":"\u0041\n"} }})"),
            command(1, RpcRequest{R"({"b" : 1, "a":"\u0041\n"})", ""}));
  EXPECT_EQ(only("{\"id\":1,\"rpc\":{\"data\":[1,\r2]}}\r"), command(1, RpcRequest{"[1,2]", ""}));
}

class MalformedJsonFrame : public testing::TestWithParam<const char*> {};
TEST_P(MalformedJsonFrame, IsABadRequest) {
  const auto commands = decode(GetParam());
  ASSERT_FALSE(commands) << GetParam();
  EXPECT_EQ(commands.error(), disconnect_reason::bad_request);
}
INSTANTIATE_TEST_SUITE_P(
    Json, MalformedJsonFrame,
    testing::Values("", "\n", " ", "{}\n\n", "\n{}", "{}\n\n{}", "{}\n \n{}", "{} {}", "{}{}", "[]", "null", "1",
                    "\"a\"", "{", "{\"id\":}", "{\"id\":\"1\"}", "{\"id\":-1}", "{\"id\":1.0}", "{\"id\":4294967296}",
                    "{\"id\":true}", "{\"connect\":[]}", "{\"connect\":1}", "{\"connect\":{\"token\":1}}",
                    "{\"connect\":{\"headers\":{\"a\":1}}}", "{\"connect\":{\"subs\":[]}}",
                    "{\"subscribe\":{\"recover\":1}}", "{\"subscribe\":{\"recover\":\"true\"}}",
                    "{\"subscribe\":{\"offset\":18446744073709551616}}", "{\"subscribe\":{\"offset\":\"1\"}}",
                    "{\"subscribe\":{\"tf\":[]}}", "{\"subscribe\":{\"tf\":{\"vals\":[1]}}}",
                    "{\"subscribe\":{\"tf\":{\"nodes\":{}}}}", "{\"subscribe\":{\"type\":2147483648}}",
                    "{\"history\":{\"limit\":-2147483649}}", "{\"history\":{\"since\":1}}", "{\"rpc\":{\"data\":}}",
                    "{\"rpc\":{\"data\":{]}}", "{\"rpc\":{\"data\":01}}", "{\"unknown\":{\"a\":}}", "{\"id\":1,}",
                    "{\"id\":1,\"connect\":{},\"rpc\":{\"method\":7}}", "{\"rpc\":{\"data\":\"\xFF\"}}",
                    "{\"rpc\":{\"data\":[1,\n2]}}", "{}\n{\"id\":1,\"connect\":{\"name\":5}}"));

TEST(JsonCommands, CountsAreBounded) {
  const JsonCodec strict{CodecLimits{.commands = 2, .entries = 3, .depth = 6}};
  const auto accepts = [&](std::string_view frame) { return strict.decode(as_bytes(frame)).has_value(); };
  EXPECT_TRUE(accepts("{}\n{}\n"));
  EXPECT_FALSE(accepts("{}\n{}\n{}"));
  EXPECT_TRUE(accepts(R"({"connect":{"subs":{"a":{},"b":{}},"headers":{"a":"b"}}})"));
  EXPECT_FALSE(accepts(R"({"connect":{"subs":{"a":{},"b":{}},"headers":{"a":"b","c":"d"}}})"));
  EXPECT_FALSE(
      accepts("{\"connect\":{\"headers\":{\"a\":\"\",\"b\":\"\"}}}\n{\"subscribe\":{\"tf\":{\"vals\":[\"\",\"\"]}}}"));
  EXPECT_FALSE(accepts(R"({"subscribe":{"tf":{"nodes":[{},{},{},{}]}}})"));
  EXPECT_TRUE(accepts(R"({"rpc":{"data":[[[[]]]]}})"));
  EXPECT_FALSE(accepts(R"({"rpc":{"data":[[[[[]]]]]}})"));
}

TEST(JsonCommands, GarbageIsNeverMoreThanABadRequest) {
  std::mt19937 random(7);
  const std::string good =
      R"({"id":2,"subscribe":{"channel":"n","offset":7,"data":[1,"\u00e9"],"tf":{"op":"not","nodes":[{}]}}})";
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(decode(good.substr(0, size)));
  for (int round = 0; round < 20'000; ++round) {
    std::string frame = good;
    for (int change = 0; change < 2; ++change) frame[random() % frame.size()] = static_cast<char>(random() % 128);
    const auto commands = decode(frame);
    EXPECT_TRUE(commands ? !commands->empty() : commands.error() == disconnect_reason::bad_request);
  }
}

TEST(JsonEmulation, CarriesAFrame) {
  const std::string_view body = R"({"session":"s","node":"n","data":"{\"id\":1}\n{}"})";
  const auto request = codec.decode_emulation(as_bytes(body));
  ASSERT_TRUE(request);
  EXPECT_EQ(*request, (EmulationRequest{"n", "s", "{\"id\":1}\n{}"}));
  for (std::string_view wrong : {"", "[]", R"({"data":{}})", R"({"session":1})", "{}x"})
    EXPECT_FALSE(codec.decode_emulation(as_bytes(wrong))) << wrong;
}

// ── Replies ─────────────────────────────────────────────────────────────────────────────────────────────────────────
std::string text_of(const Reply& reply) {
  std::string out;
  codec.encode(reply, out);
  EXPECT_TRUE(is_json(out)) << out;
  EXPECT_FALSE(out.contains('\n')) << out;
  return out;
}

template <class Body>
std::string reply_of(Body body) {
  Reply reply;
  reply.id = 5;
  reply.body = std::move(body);
  return text_of(reply);
}

PublicationPtr publication(std::string data, std::uint64_t offset, bool json = true) {
  Publication made;
  made.data = std::move(data);
  made.offset = offset;
  made.json = json;
  return std::make_shared<const Publication>(std::move(made));
}

TEST(JsonReplies, ErrorSaysWhetherToTryAgain) {
  EXPECT_EQ(reply_of(client_error::permission_denied),
            R"({"id":5,"error":{"code":103,"message":"permission denied"}})");
  EXPECT_EQ(reply_of(client_error::internal),
            R"({"id":5,"error":{"code":100,"message":"internal server error","temporary":true}})");
}

TEST(JsonReplies, EmptyResultsHaveTheirField) {
  EXPECT_EQ(reply_of(ConnectResult{}), R"({"id":5,"connect":{}})");
  EXPECT_EQ(reply_of(SubscribeResult{}), R"({"id":5,"subscribe":{}})");
  EXPECT_EQ(reply_of(UnsubscribeResult{}), R"({"id":5,"unsubscribe":{}})");
  EXPECT_EQ(reply_of(PublishResult{}), R"({"id":5,"publish":{}})");
  EXPECT_EQ(reply_of(PresenceResult{}), R"({"id":5,"presence":{"presence":{}}})");
  EXPECT_EQ(reply_of(PresenceStatsResult{}), R"({"id":5,"presence_stats":{}})");
  EXPECT_EQ(reply_of(HistoryResult{}), R"({"id":5,"history":{}})");
  EXPECT_EQ(reply_of(RpcResult{}), R"({"id":5,"rpc":{}})");
  EXPECT_EQ(reply_of(RefreshResult{}), R"({"id":5,"refresh":{}})");
  EXPECT_EQ(reply_of(SubRefreshResult{}), R"({"id":5,"sub_refresh":{}})");
}

TEST(JsonReplies, ConnectHasAllItsFields) {
  ConnectResult result;
  result.client = "c";
  result.version = "v";
  result.expires = result.pong = true;
  result.ttl = 60;
  result.data = R"({"a":1})";
  result.subs["x\"y"].recoverable = true;
  result.ping = 25;
  result.session = "s";
  result.node = "n";
  result.time_ms = 1700000000000;
  EXPECT_EQ(
      reply_of(result),
      R"({"id":5,"connect":{"client":"c","version":"v","expires":true,"ttl":60,"data":{"a":1},)"
      R"("subs":{"x\"y":{"recoverable":true}},"ping":25,"pong":true,"session":"s","node":"n","time":1700000000000}})");
}

TEST(JsonReplies, SubscribeHasAllItsFields) {
  SubscribeResult result;
  result.expires = result.recoverable = result.recovered = result.positioned = result.was_recovering = true;
  result.ttl = 1;
  result.position = {18446744073709551615U, "ep"};
  result.publications = {publication("1", 8), publication(std::string("\0\xFF", 2), 9, false)};
  result.data = "true";
  result.id = 3;
  EXPECT_EQ(reply_of(result),
            R"({"id":5,"subscribe":{"expires":true,"ttl":1,"recoverable":true,"epoch":"ep",)"
            R"("publications":[{"data":1,"offset":8},{"data":{"b64data":"AP8="},"offset":9}],"recovered":true,)"
            R"("offset":18446744073709551615,"positioned":true,"data":true,"was_recovering":true,"id":3}})");
}

TEST(JsonReplies, WhatSeveralHaveMissedIsWrittenForEachAsForOneAlone) {
  SubscribeResult alone;
  alone.recovered = true;
  alone.position = {9, "ep"};
  alone.publications = {publication(R"({"a":1})", 8), publication(std::string("\0\xFF", 2), 9, false)};
  SubscribeResult shared = alone;
  shared.missed = std::make_shared<const Missed>(alone.publications);
  EXPECT_EQ(reply_of(shared), reply_of(alone));
  EXPECT_EQ(reply_of(shared), reply_of(alone)) << "the second one gets what the first one has had written";
  ConnectResult connected, connected_alone;
  connected.subs["a"] = shared;
  connected_alone.subs["a"] = alone;
  EXPECT_EQ(reply_of(connected), reply_of(connected_alone));
}

TEST(JsonReplies, MissedPublicationsOfADeltaSubscriptionAreAChain) {
  const std::string first = R"({"text":"Привет, мир! Как дела сегодня?"})";
  const std::string second = R"({"text":"Привет, мир! Как тела сегодня?"})";
  SubscribeResult result;
  result.delta = true;
  result.publications = {publication(first, 1), publication(second, 2), publication("7", 3)};
  const std::string text = reply_of(result);
  EXPECT_TRUE(text.contains(R"([{"data":"{\"text\":\"Привет, мир! Как дела сегодня?\"}","offset":1},{"data":")"))
      << text;
  EXPECT_TRUE(text.contains(R"(;","offset":2,"delta":true},{"data":"7","offset":3}],"delta":true})")) << text;
}

TEST(JsonReplies, OthersHaveTheirFields) {
  EXPECT_EQ(reply_of(PresenceResult{{{"c1", {"u", "c1", R"({"n":1})", "\xFF"}}}}),
            R"({"id":5,"presence":{"presence":{"c1":{"user":"u","client":"c1","conn_info":{"n":1},)"
            R"("chan_info":{"b64data":"/w=="}}}}})");
  EXPECT_EQ(reply_of(PresenceStatsResult{{2, 1}}), R"({"id":5,"presence_stats":{"num_clients":2,"num_users":1}})");
  EXPECT_EQ(reply_of(HistoryResult{{publication("{}", 1)}, {1, "e"}}),
            R"({"id":5,"history":{"publications":[{"data":{},"offset":1}],"epoch":"e","offset":1}})");
  EXPECT_EQ(reply_of(RpcResult{"[1,\n2]"}), R"({"id":5,"rpc":{"data":[1,2]}})");
  EXPECT_EQ(reply_of(RpcResult{"not json"}), R"({"id":5,"rpc":{"data":{"b64data":"bm90IGpzb24="}}})");
  EXPECT_EQ(reply_of(RefreshResult{"c", "v", true, 9}),
            R"({"id":5,"refresh":{"client":"c","version":"v","expires":true,"ttl":9}})");
  EXPECT_EQ(reply_of(SubRefreshResult{true, 9}), R"({"id":5,"sub_refresh":{"expires":true,"ttl":9}})");
}

TEST(JsonReplies, TextIsEscapedAndAlwaysUtf8) {
  ClientError error{400, std::string("q\" b\\ n\n r\r t\t z\0 e\x1b \x7f é😀 bad\xFF", 34), false};
  EXPECT_EQ(reply_of(error),
            "{\"id\":5,\"error\":{\"code\":400,\"message\":\"q\\\" b\\\\ n\\n r\\r t\\t z\\u0000 "
            "e\\u001b \x7f é😀 bad\xEF\xBF\xBD\"}}");
}

// ── Pushes ──────────────────────────────────────────────────────────────────────────────────────────────────────────
template <class Body>
std::string push_of(Body body, Envelope envelope = Envelope::reply, std::int64_t id = 0) {
  Push push;
  push.channel = "a";
  push.id = id;
  push.body = std::move(body);
  std::string out;
  codec.encode(push, envelope, out);
  EXPECT_TRUE(is_json(out)) << out;
  return out;
}

TEST(JsonPushes, HaveTheirFields) {
  EXPECT_EQ(push_of(JoinPush{{"u", "c", "", ""}}),
            R"({"push":{"channel":"a","join":{"info":{"user":"u","client":"c"}}}})");
  EXPECT_EQ(push_of(LeavePush{{"", "c", "", "1"}}),
            R"({"push":{"channel":"a","leave":{"info":{"client":"c","chan_info":1}}}})");
  EXPECT_EQ(push_of(unsubscribe_reason::insufficient_state),
            R"({"push":{"channel":"a","unsubscribe":{"code":2500,"reason":"insufficient state"}}})");
  EXPECT_EQ(
      push_of(SubscribePush{true, true, {4, "e"}, "{}"}),
      R"({"push":{"channel":"a","subscribe":{"recoverable":true,"epoch":"e","offset":4,"positioned":true,"data":{}}}})");
  EXPECT_EQ(push_of(RefreshPush{true, 3}), R"({"push":{"channel":"a","refresh":{"expires":true,"ttl":3}}})");
  EXPECT_EQ(push_of(JoinPush{}, Envelope::reply, 9), R"({"push":{"id":9,"join":{"info":{}}}})");
}

TEST(JsonPushes, DisconnectSaysWhetherToComeBack) {
  Push push;
  push.body = disconnect_reason::slow;
  std::string out;
  codec.encode(push, Envelope::reply, out);
  EXPECT_EQ(out, R"({"push":{"disconnect":{"code":3008,"reason":"slow","reconnect":true}}})");
  push.body = disconnect_reason::bad_request;
  out.clear();
  codec.encode(push, Envelope::bare, out);
  EXPECT_EQ(out, R"({"disconnect":{"code":3501,"reason":"bad request"}})");
}

TEST(JsonPushes, AreBareOnUnidirectionalTransports) {
  EXPECT_EQ(push_of(MessagePush{"1"}, Envelope::bare), R"({"channel":"a","message":{"data":1}})");
  Push push;
  ConnectResult result;
  result.client = "c";
  result.ping = 25;
  push.body = ConnectPush{result};
  std::string out;
  codec.encode(push, Envelope::bare, out);
  EXPECT_EQ(out, R"({"connect":{"client":"c","ping":25}})");
}

TEST(JsonFrames, AreJoinedByALineBreak) {
  std::string out;
  codec.ping(out);
  out += codec.separator();
  Reply reply;
  reply.id = 1;
  reply.body = PublishResult{};
  codec.encode(reply, out);
  EXPECT_EQ(out, "{}\n{\"id\":1,\"publish\":{}}");
}

}  // namespace
}  // namespace fairlead::server::centrifuge

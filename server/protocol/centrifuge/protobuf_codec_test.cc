// SPDX-License-Identifier: Apache-2.0
// Golden frames of the Protobuf protocol, written by field number, and what is no frame of it.
#include "protocol/centrifuge/protobuf_codec.h"

#include "protocol/centrifuge/protobuf_decode.h"
#include "protocol/centrifuge/wire_testing.h"

#include <gtest/gtest.h>

#include <random>

namespace fairlead::server::centrifuge {
namespace {

using wire_testing::bytes;
using wire_testing::delimited;
using wire_testing::entry;
using wire_testing::number;

const ProtobufCodec codec{CodecLimits{}};

std::expected<std::vector<Command>, DisconnectReason> decode(std::string_view frame) {
  return codec.decode(as_bytes(frame));
}

Command only(std::string_view message) {
  const auto commands = decode(delimited(message));
  EXPECT_TRUE(commands);
  EXPECT_EQ(commands ? commands->size() : 0, 1U);
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
TEST(ProtobufCommands, ConnectHasAllItsFields) {
  ConnectRequest connect;
  connect.token = "t";
  connect.data = std::string("\0\xFF", 2);
  connect.name = "go";
  connect.version = "1";
  connect.headers = {{"x", "y"}};
  connect.flag = 3;
  connect.subs["news"].recover = true;
  connect.subs["news"].since = {18446744073709551615U, "ep"};
  const std::string position = number(3, 1) + bytes(6, "ep") + number(7, 18446744073709551615U);
  EXPECT_EQ(only(number(1, 1) + bytes(4, bytes(1, "t") + bytes(2, std::string_view("\0\xFF", 2)) +
                                             entry(3, "news", position) + bytes(4, "go") + bytes(5, "1") +
                                             entry(6, "x", "y") + number(7, 3) + bytes(8, "ignored"))),
            command(1, connect));
}

TEST(ProtobufCommands, SubscribeHasAllItsFields) {
  SubscribeRequest subscribe;
  subscribe.channel = "news";
  subscribe.token = "t";
  subscribe.recover = subscribe.positioned = subscribe.recoverable = subscribe.join_leave = true;
  subscribe.since = {7, "ep"};
  subscribe.data = "[1]";
  subscribe.delta = "fossil";
  subscribe.flag = 2;
  subscribe.type = 1;
  subscribe.filter.emplace().op = "or";
  subscribe.filter->nodes.resize(2);
  subscribe.filter->nodes[0].key = "k";
  subscribe.filter->nodes[0].cmp = "in";
  subscribe.filter->nodes[0].vals = {"a", "b"};
  subscribe.filter->nodes[1].val = "v";
  const std::string filter = bytes(1, "or") + bytes(6, bytes(2, "k") + bytes(3, "in") + bytes(5, "a") + bytes(5, "b")) +
                             bytes(6, bytes(4, "v"));
  EXPECT_EQ(only(number(1, 2) +
                 bytes(5, bytes(1, "news") + bytes(2, "t") + number(3, 1) + bytes(6, "ep") + number(7, 7) +
                              bytes(8, "[1]") + number(9, 1) + number(10, 1) + number(11, 1) + bytes(12, "fossil") +
                              bytes(13, filter) + number(14, 2) + number(15, 1) + number(16, 2))),
            command(2, subscribe));
}

TEST(ProtobufCommands, OthersHaveTheirFields) {
  const std::string channel = bytes(1, "a");
  EXPECT_EQ(only(number(1, 3) + bytes(6, channel)), command(3, UnsubscribeRequest{"a"}));
  EXPECT_EQ(only(number(1, 4) + bytes(7, channel + bytes(2, "x") + number(3, 1) + bytes(4, "k"))),
            command(4, PublishRequest{"a", "x", 1, "k"}));
  EXPECT_EQ(only(number(1, 5) + bytes(8, channel)), command(5, PresenceRequest{"a"}));
  EXPECT_EQ(only(number(1, 6) + bytes(9, channel)), command(6, PresenceStatsRequest{"a"}));
  EXPECT_EQ(only(number(1, 7) + bytes(10, channel + number(7, static_cast<std::uint64_t>(-1)) +
                                              bytes(8, number(1, 3) + bytes(2, "e")) + number(9, 1))),
            command(7, HistoryRequest{"a", -1, StreamPosition{3, "e"}, true}));
  EXPECT_EQ(only(number(1, 8) + bytes(11, "")), command(8, PingRequest{}));
  EXPECT_EQ(only(bytes(12, bytes(1, "d"))), command(0, SendRequest{"d"}));
  EXPECT_EQ(only(number(1, 9) + bytes(13, bytes(1, "d") + bytes(2, "m"))), command(9, RpcRequest{"d", "m"}));
  EXPECT_EQ(only(number(1, 10) + bytes(14, bytes(1, "t"))), command(10, RefreshRequest{"t"}));
  EXPECT_EQ(only(number(1, 11) + bytes(15, channel + bytes(2, "t") + number(3, 1))),
            command(11, SubRefreshRequest{"a", "t", 1}));
}

TEST(ProtobufCommands, EmptyMessageIsAPong) { EXPECT_TRUE(only("").is_pong()); }

TEST(ProtobufCommands, SeveralMakeAFrame) {
  const auto commands =
      decode(delimited(number(1, 1) + bytes(4, "")) + delimited("") + delimited(number(1, 2) + bytes(13, "")));
  ASSERT_TRUE(commands);
  ASSERT_EQ(commands->size(), 3U);
  EXPECT_EQ((*commands)[0], command(1, ConnectRequest{}));
  EXPECT_TRUE((*commands)[1].is_pong());
  EXPECT_EQ((*commands)[2], command(2, RpcRequest{}));
}

TEST(ProtobufCommands, FirstInTheProtocolsOrderCounts) {
  EXPECT_EQ(only(number(1, 1) + bytes(5, "") + bytes(11, "") + bytes(13, "")), command(1, PingRequest{}));
  EXPECT_EQ(only(number(1, 1) + bytes(12, "") + bytes(13, "")), command(1, RpcRequest{}));
}

TEST(ProtobufCommands, UnknownFieldsAreIgnored) {
  EXPECT_EQ(only(number(1, 1) + number(99, 5) + bytes(100, "x") + bytes(14, bytes(1, "t") + bytes(50, "y"))),
            command(1, RefreshRequest{"t"}));
}

TEST(ProtobufFrames, MalformedOnesAreBadRequests) {
  const std::string good = number(1, 1) + bytes(4, bytes(1, "token"));
  for (const std::string& frame :
       {std::string(), std::string("\x01"), std::string("\x80"), std::string("\x80\x00", 2), std::string("\x81\x00", 2),
        std::string("\xFF\xFF\xFF\xFF\x0F"), std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"),
        std::string("\x80\x80\x80\x80\x80\x01"), delimited(good) + "\x05", delimited(good + "\x0A"),
        delimited(number(1, 1) + "\x22\x7F"), delimited("\x0F"), delimited(bytes(4, bytes(1, "\xFF"))),
        delimited(bytes(5, bytes(1, "\xC3"))), delimited(std::string("\x00\x00", 2)), delimited("\x0C"),
        delimited(bytes(4, entry(6, "\xFF", "x")))}) {
    const auto commands = decode(frame);
    ASSERT_FALSE(commands) << testing::PrintToString(frame);
    EXPECT_EQ(commands.error(), disconnect_reason::bad_request);
  }
}

TEST(ProtobufFrames, LengthMustFitWhatIsThere) {
  const auto length_of = [](std::string_view text) {
    Bytes rest = as_bytes(text);
    return take_length(rest);
  };
  EXPECT_EQ(length_of(std::string("\x02") + "ab"), 2U);
  EXPECT_EQ(length_of(std::string("\x03") + "ab"), std::nullopt);
  EXPECT_EQ(length_of(std::string("\x80\x01") + std::string(128, 'a')), 128U);
  EXPECT_EQ(length_of(std::string("\x80\x01") + std::string(127, 'a')), std::nullopt);
  EXPECT_EQ(length_of(std::string("\x82\x00", 2) + "ab"), std::nullopt);
  EXPECT_EQ(length_of(""), std::nullopt);
}

TEST(ProtobufFrames, EveryPrefixIsABadRequest) {
  const std::string frame = delimited(number(1, 1) + bytes(5, bytes(1, "news") + bytes(13, bytes(6, bytes(4, "v")))));
  for (std::size_t size = 0; size < frame.size(); ++size) EXPECT_FALSE(decode(frame.substr(0, size))) << size;
  EXPECT_TRUE(decode(frame));
}

TEST(ProtobufFrames, CountsAreBounded) {
  const ProtobufCodec strict{CodecLimits{.commands = 2, .entries = 3, .depth = 4}};
  const auto accepts = [&](const std::string& frame) { return strict.decode(as_bytes(frame)).has_value(); };
  EXPECT_TRUE(accepts(std::string(2, '\0')));
  EXPECT_FALSE(accepts(std::string(3, '\0')));
  const auto nodes = [](int count) {
    std::string filter;
    for (int index = 0; index < count; ++index) filter += bytes(6, "");
    return delimited(bytes(5, bytes(13, filter)));
  };
  EXPECT_TRUE(accepts(nodes(3)));
  EXPECT_FALSE(accepts(nodes(4)));
  EXPECT_FALSE(accepts(nodes(2) + nodes(2)));
  const auto nested = [](int depth) {
    std::string filter;
    for (int level = 1; level < depth; ++level) filter = bytes(6, filter);
    return delimited(bytes(5, bytes(13, filter)));
  };
  EXPECT_TRUE(accepts(nested(3)));
  EXPECT_FALSE(accepts(nested(4)));
  EXPECT_FALSE(decode(nested(5'000)));
}

TEST(ProtobufFrames, GarbageIsNeverMoreThanABadRequest) {
  std::mt19937 random(7);
  const std::string good =
      delimited(number(1, 2) + bytes(5, bytes(1, "n") + number(7, 7) + bytes(13, bytes(1, "not") + bytes(6, "")))) +
      delimited(number(1, 1) + bytes(4, entry(3, "a", number(7, 1)) + entry(6, "x", "y")));
  for (int round = 0; round < 20'000; ++round) {
    std::string frame = good;
    for (int change = 0; change < 2; ++change) frame[random() % frame.size()] = static_cast<char>(random() % 256);
    const auto commands = decode(frame);
    EXPECT_TRUE(commands ? !commands->empty() : commands.error() == disconnect_reason::bad_request);
  }
}

TEST(ProtobufEmulation, CarriesAFrame) {
  const std::string body = bytes(1, "n") + bytes(2, "s") + bytes(3, std::string_view("\x02\x08\x01", 3));
  const auto request = codec.decode_emulation(as_bytes(body));
  ASSERT_TRUE(request);
  EXPECT_EQ(*request, (EmulationRequest{"n", "s", "\x02\x08\x01"}));
  EXPECT_FALSE(codec.decode_emulation(as_bytes("\x0A\x05n")));
}

// ── Replies ─────────────────────────────────────────────────────────────────────────────────────────────────────────
template <class Body>
std::string reply_of(Body body) {
  Reply reply;
  reply.id = 5;
  reply.body = std::move(body);
  std::string out;
  codec.encode(reply, out);
  return out;
}
std::string golden(unsigned field, const std::string& message) {
  return delimited(number(1, 5) + bytes(field, message));
}

PublicationPtr publication(std::string data, std::uint64_t offset) {
  Publication made;
  made.data = std::move(data);
  made.offset = offset;
  return std::make_shared<const Publication>(std::move(made));
}

TEST(ProtobufReplies, ErrorSaysWhetherToTryAgain) {
  EXPECT_EQ(reply_of(client_error::permission_denied), golden(2, number(1, 103) + bytes(2, "permission denied")));
  EXPECT_EQ(reply_of(client_error::internal),
            golden(2, number(1, 100) + bytes(2, "internal server error") + number(3, 1)));
}

TEST(ProtobufReplies, EmptyResultsHaveTheirField) {
  EXPECT_EQ(reply_of(ConnectResult{}), golden(5, ""));
  EXPECT_EQ(reply_of(SubscribeResult{}), golden(6, ""));
  EXPECT_EQ(reply_of(UnsubscribeResult{}), golden(7, ""));
  EXPECT_EQ(reply_of(PublishResult{}), golden(8, ""));
  EXPECT_EQ(reply_of(PresenceResult{}), golden(9, ""));
  EXPECT_EQ(reply_of(PresenceStatsResult{}), golden(10, ""));
  EXPECT_EQ(reply_of(HistoryResult{}), golden(11, ""));
  EXPECT_EQ(reply_of(RpcResult{}), golden(13, ""));
  EXPECT_EQ(reply_of(RefreshResult{}), golden(14, ""));
  EXPECT_EQ(reply_of(SubRefreshResult{}), golden(15, ""));
}

TEST(ProtobufReplies, ConnectHasAllItsFields) {
  ConnectResult result;
  result.client = "c";
  result.version = "v";
  result.expires = result.pong = true;
  result.ttl = 60;
  result.data = "d";
  result.subs["x"].recoverable = true;
  result.ping = 25;
  result.session = "s";
  result.node = "n";
  result.time_ms = 1700000000000;
  EXPECT_EQ(reply_of(result), golden(5, bytes(1, "c") + bytes(2, "v") + number(3, 1) + number(4, 60) + bytes(5, "d") +
                                            entry(6, "x", number(3, 1)) + number(7, 25) + number(8, 1) + bytes(9, "s") +
                                            bytes(10, "n") + number(11, 1700000000000)));
}

TEST(ProtobufReplies, SubscribeHasAllItsFields) {
  SubscribeResult result;
  result.expires = result.recoverable = result.recovered = result.positioned = result.was_recovering = true;
  result.ttl = 1;
  result.position = {9, "ep"};
  result.publications = {publication("1", 8), publication("\xFF", 9)};
  result.data = "d";
  result.id = 3;
  EXPECT_EQ(reply_of(result), golden(6, number(1, 1) + number(2, 1) + number(3, 1) + bytes(6, "ep") +
                                            bytes(7, bytes(4, "1") + number(6, 8)) +
                                            bytes(7, bytes(4, "\xFF") + number(6, 9)) + number(8, 1) + number(9, 9) +
                                            number(10, 1) + bytes(11, "d") + number(12, 1) + number(14, 3)));
}

TEST(ProtobufReplies, WhatSeveralHaveMissedIsWrittenOnceAndStandsBehindTheOtherFields) {
  SubscribeResult result;
  result.recovered = true;
  result.position = {9, "ep"};
  result.publications = {publication("1", 8), publication("\xFF", 9)};
  result.missed = std::make_shared<const Missed>(result.publications);
  const std::string written =
      golden(6, bytes(6, "ep") + number(8, 1) + number(9, 9) + bytes(7, bytes(4, "1") + number(6, 8)) +
                    bytes(7, bytes(4, "\xFF") + number(6, 9)));
  EXPECT_EQ(reply_of(result), written);
  EXPECT_EQ(reply_of(result), written) << "for the second one";
  ConnectResult connected;
  connected.subs["a"] = result;
  ConnectResult alone = connected;
  alone.subs["a"].missed = nullptr;
  EXPECT_EQ(reply_of(connected), reply_of(alone)) << "a reply with subscriptions of the server's";
}

TEST(ProtobufReplies, MissedPublicationsOfADeltaSubscriptionAreAChain) {
  const std::string text(100, 'x');
  SubscribeResult result;
  result.delta = true;
  result.publications = {publication(text, 1), publication(text, 2), publication("7", 3)};
  // 100 is "1_" in the digits of deltas.
  EXPECT_EQ(reply_of(result), golden(6, bytes(7, bytes(4, text) + number(6, 1)) +
                                            bytes(7, bytes(4, "1_\n1_@0,33lxEt;") + number(6, 2) + number(8, 1)) +
                                            bytes(7, bytes(4, "7") + number(6, 3)) + number(13, 1)));
}

TEST(ProtobufReplies, OthersHaveTheirFields) {
  EXPECT_EQ(reply_of(PresenceResult{{{"c1", {"u", "c1", "i", "j"}}}}),
            golden(9, entry(1, "c1", bytes(1, "u") + bytes(2, "c1") + bytes(3, "i") + bytes(4, "j"))));
  EXPECT_EQ(reply_of(PresenceStatsResult{{2, 1}}), golden(10, number(1, 2) + number(2, 1)));
  EXPECT_EQ(reply_of(HistoryResult{{publication("a", 1)}, {1, "e"}}),
            golden(11, bytes(1, bytes(4, "a") + number(6, 1)) + bytes(2, "e") + number(3, 1)));
  EXPECT_EQ(reply_of(RpcResult{"a\nb"}), golden(13, bytes(1, "a\nb")));
  EXPECT_EQ(reply_of(RefreshResult{"c", "v", true, 9}),
            golden(14, bytes(1, "c") + bytes(2, "v") + number(3, 1) + number(4, 9)));
  EXPECT_EQ(reply_of(SubRefreshResult{true, 9}), golden(15, number(1, 1) + number(2, 9)));
}

TEST(ProtobufReplies, TextIsAlwaysUtf8) {
  EXPECT_EQ(reply_of(ClientError{400, "bad\xFF", false}), golden(2, number(1, 400) + bytes(2, "bad\xEF\xBF\xBD")));
}

// ── Pushes ──────────────────────────────────────────────────────────────────────────────────────────────────────────
template <class Body>
std::string push_of(Body body, Envelope envelope, std::int64_t id = 0) {
  Push push;
  push.channel = "a";
  push.id = id;
  push.body = std::move(body);
  std::string out;
  codec.encode(push, envelope, out);
  return out;
}

template <class Body>
void expect_push(Body body, const std::string& fields) {
  const std::string message = bytes(2, "a") + fields;
  EXPECT_EQ(push_of(body, Envelope::reply), delimited(bytes(4, message)));
  EXPECT_EQ(push_of(body, Envelope::bare), delimited(message));
  EXPECT_EQ(push_of(body, Envelope::bare, 9), delimited(number(1, 9) + fields));
}

TEST(ProtobufPushes, HaveTheirFields) {
  expect_push(JoinPush{{"u", "c", "", ""}}, bytes(5, bytes(1, bytes(1, "u") + bytes(2, "c"))));
  expect_push(LeavePush{{"", "c", "", "1"}}, bytes(6, bytes(1, bytes(2, "c") + bytes(4, "1"))));
  expect_push(unsubscribe_reason::expired, bytes(7, number(2, 2501) + bytes(3, "subscription expired")));
  expect_push(MessagePush{"m"}, bytes(8, bytes(1, "m")));
  expect_push(SubscribePush{true, true, {4, "e"}, "d"},
              bytes(9, number(1, 1) + bytes(4, "e") + number(5, 4) + number(6, 1) + bytes(7, "d")));
  expect_push(disconnect_reason::slow, bytes(11, number(1, 3008) + bytes(2, "slow") + number(3, 1)));
  expect_push(disconnect_reason::bad_request, bytes(11, number(1, 3501) + bytes(2, "bad request")));
  expect_push(RefreshPush{true, 3}, bytes(12, number(1, 1) + number(2, 3)));
}

TEST(ProtobufPushes, ConnectHasAllItsFields) {
  ConnectResult result;
  result.client = "c";
  result.version = "v";
  result.data = "d";
  result.subs["x"].positioned = true;
  result.expires = result.pong = true;
  result.ttl = 60;
  result.ping = 25;
  result.session = "s";
  result.node = "n";
  result.time_ms = 7;
  expect_push(
      ConnectPush{result},
      bytes(10, bytes(1, "c") + bytes(2, "v") + bytes(3, "d") + entry(4, "x", number(10, 1)) + number(5, 1) +
                    number(6, 60) + number(7, 25) + number(8, 1) + bytes(9, "s") + bytes(10, "n") + number(11, 7)));
}

TEST(ProtobufFrames, FollowEachOtherWithoutAnythingBetween) {
  std::string out;
  codec.ping(out);
  EXPECT_EQ(out, std::string(1, '\0'));
  EXPECT_EQ(codec.separator(), "");
  Reply reply;
  reply.id = 5;
  reply.body = PublishResult{};
  codec.encode(reply, out);
  EXPECT_EQ(out, std::string(1, '\0') + golden(8, ""));
}

}  // namespace
}  // namespace fairlead::server::centrifuge

// SPDX-License-Identifier: Apache-2.0
// Frames as the official SDKs write them: Go, Dart, Swift, Java and C# in Protobuf, Go, Python and JavaScript in JSON.
// What differs between them is the order and the spelling of things: batches or single commands, escaped text, spaces,
// nulls, fields that are there though empty, line ends. All bytes are written out here.
#include "protocol/codec.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::server {
namespace {

std::string from_hex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    while (text[i] == ' ') ++i;
    bytes += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

std::vector<Command> decoded(WireFormat format, std::string_view frame) {
  const auto codec = make_codec(format);
  auto commands = codec->decode(as_bytes(frame));
  EXPECT_TRUE(commands) << "3501 for " << frame;
  return commands ? std::move(*commands) : std::vector<Command>{};
}
std::vector<Command> protobuf(std::string_view hex) { return decoded(WireFormat::protobuf, from_hex(hex)); }
std::vector<Command> json(std::string_view frame) { return decoded(WireFormat::json, frame); }

template <class Body>
Command command(std::uint32_t id, Body body) {
  Command made;
  made.id = id;
  made.body = std::move(body);
  return made;
}

ConnectRequest connect(std::string name, std::string version, std::string token = {}, std::string data = {}) {
  ConnectRequest request;
  request.name = std::move(name);
  request.version = std::move(version);
  request.token = std::move(token);
  request.data = std::move(data);
  return request;
}

using Commands = std::vector<Command>;

// ── Protobuf ────────────────────────────────────────────────────────────────────────────────────────────────────────
TEST(SdkFrames, GoConnectsAndSubscribesWithItsPosition) {
  EXPECT_EQ(protobuf("15 08 01 22 11 0a 03 6a 77 74 22 02 67 6f 2a 06 30 2e 31 32 2e 31"),
            Commands{command(1, connect("go", "0.12.1", "jwt"))});
  SubscribeRequest subscribe;
  subscribe.channel = "news";
  subscribe.recover = subscribe.positioned = subscribe.recoverable = true;
  subscribe.since = {300, "ep"};
  subscribe.delta = "fossil";
  EXPECT_EQ(protobuf("1f 08 02 2a 1b 0a 04 6e 65 77 73 18 01 32 02 65 70 38 ac 02 48 01 50 01 62 06 66 6f 73 73 69 6c"),
            Commands{command(2, subscribe)});
  EXPECT_EQ(protobuf("06 62 04 0a 02 7b 7d"), Commands{command(0, SendRequest{"{}"})});
}

TEST(SdkFrames, DartConnectsWithData) {
  EXPECT_EQ(protobuf("13 08 01 22 0f 12 07 7b 22 61 22 3a 31 7d 22 04 64 61 72 74"),
            Commands{command(1, connect("dart", "", "", R"({"a":1})"))});
}

// The answer to a ping is an empty command: its length alone. It may come with others in one frame.
TEST(SdkFrames, PongsAreASingleZeroByte) {
  const auto alone = protobuf("00");
  ASSERT_EQ(alone.size(), 1U);
  EXPECT_TRUE(alone.front().is_pong());
  const auto batch = protobuf("10 08 01 22 0c 22 05 73 77 69 66 74 2a 03 31 2e 30 00");
  ASSERT_EQ(batch.size(), 2U);
  EXPECT_EQ(batch.front(), command(1, connect("swift", "1.0")));
  EXPECT_TRUE(batch.back().is_pong());
}

TEST(SdkFrames, SwiftRefreshesASubscription) {
  EXPECT_EQ(protobuf("0f 08 04 7a 0b 0a 04 6e 65 77 73 12 03 74 6f 6b"),
            Commands{command(4, SubRefreshRequest{"news", "tok", 0})});
}

// From 128 bytes on, and from id 128 on, a number takes two bytes.
TEST(SdkFrames, JavaPublishesMoreThanAByteCanCount) {
  const std::string frame = from_hex("d8 01 08 05 3a d3 01 0a 06 72 6f 6f 6d 3a 31 12 c8 01") + std::string(200, 'x');
  EXPECT_EQ(decoded(WireFormat::protobuf, frame),
            Commands{command(5, PublishRequest{"room:1", std::string(200, 'x'), 0, ""})});
  EXPECT_EQ(protobuf("09 08 09 72 05 0a 03 6e 65 77"), Commands{command(9, RefreshRequest{"new"})});
}

// A negative int32 is ten bytes long on the wire.
TEST(SdkFrames, CSharpReadsHistoryWithoutALimit) {
  EXPECT_EQ(
      protobuf("20 08 80 01 52 1b 0a 04 6e 65 77 73 38 ff ff ff ff ff ff ff ff ff 01 42 06 08 03 12 02 65 70 48 01"),
      Commands{command(128, HistoryRequest{"news", -1, StreamPosition{3, "ep"}, true})});
  EXPECT_EQ(protobuf("0e 08 03 6a 0a 0a 03 5b 31 5d 12 03 73 75 6d"), Commands{command(3, RpcRequest{"[1]", "sum"})});
}

TEST(SdkFrames, SeveralCommandsOfProtobufFollowEachOther) {
  EXPECT_EQ(protobuf("0a 08 07 42 06 0a 04 6e 65 77 73 09 08 09 72 05 0a 03 6e 65 77"),
            (Commands{command(7, PresenceRequest{"news"}), command(9, RefreshRequest{"new"})}));
}

// ── JSON ────────────────────────────────────────────────────────────────────────────────────────────────────────────
TEST(SdkFrames, PythonWritesSpacesAndEscapes) {
  EXPECT_EQ(json(R"({"id": 1, "connect": {"token": "", "name": "python", "version": "", "subs": null}})"),
            Commands{command(1, connect("python", ""))});
  EXPECT_EQ(json(R"({"id": 2, "publish": {"channel": "news", "data": {"text": "\u0436\ud83e\udd84"}}})"),
            (Commands{command(2, PublishRequest{"news", R"({"text": "\u0436\ud83e\udd84"})", 0, ""})}));
  EXPECT_EQ(json("{\"id\": 3, \"presence\": {\"channel\": \"a\"}}\n{\"id\": 4, \"unsubscribe\": {\"channel\": \"a\"}}"),
            (Commands{command(3, PresenceRequest{"a"}), command(4, UnsubscribeRequest{"a"})}));
}

TEST(SdkFrames, GoEndsEachLineOfJson) {
  EXPECT_EQ(json("{\"id\":1,\"connect\":{\"name\":\"go\",\"version\":\"0.12.1\"}}\n"),
            Commands{command(1, connect("go", "0.12.1"))});
}

// Optimistic subscriptions: the first frame has the connect command and all that is to be subscribed.
TEST(SdkFrames, JavaScriptSubscribesInItsFirstFrame) {
  SubscribeRequest one;
  one.channel = "a";
  one.flag = 1;
  SubscribeRequest two;
  two.channel = "b";
  two.recover = true;
  two.since = {7, "ep"};
  two.flag = 1;
  EXPECT_EQ(
      json("{\"id\":1,\"connect\":{\"name\":\"js\"}}\n"
           "{\"id\":2,\"subscribe\":{\"channel\":\"a\",\"flag\":1}}\n"
           "{\"id\":3,\"subscribe\":{\"channel\":\"b\",\"flag\":1,\"recover\":true,\"offset\":7,\"epoch\":\"ep\"}}"),
      (Commands{command(1, connect("js", "")), command(2, one), command(3, two)}));
  const auto pong = json("{}");
  ASSERT_EQ(pong.size(), 1U);
  EXPECT_TRUE(pong.front().is_pong());
}

}  // namespace
}  // namespace fairlead::server

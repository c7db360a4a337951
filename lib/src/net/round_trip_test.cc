// SPDX-License-Identifier: Apache-2.0
// The round-trip time is that of a ping and its own answer, whatever else the peer says.
#include "net/raw_peer_testing.h"
#include "net/testing.h"

#include <fairlead/server.h>

#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fairlead {
namespace {

using net::testing::PlainServer;
using net::testing::RawPeer;
using net::testing::soon;
using std::chrono::milliseconds;

constexpr std::string_view opening =
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";

// A client's frame with a key of zeros.
std::string frame(char first_byte, std::string_view payload) {
  return std::string{first_byte, static_cast<char>(0x80 | payload.size()), 0, 0, 0, 0}.append(payload);
}
std::string pong(std::string_view payload) { return frame('\x8A', payload); }

// A server that pings when it is told to, with the text that it is told, and keeps what came back.
class Pinger {
 public:
  struct Pong {
    std::string payload;
    Duration round_trip{};  // as it is known then
  };

  Pinger() {
    EXPECT_TRUE(peer_.send(opening));
    peer_.read_until("\r\n\r\n");
    peer_.forget();
  }

  // The payload that the ping has on the wire.
  std::string ping(std::string_view payload) {
    peer_.forget();
    EXPECT_TRUE(peer_.send(frame('\x81', payload)));
    const std::string& seen = peer_.read_until("\x89");
    while (seen.size() < 2 || seen.size() < 2 + std::to_integer<std::size_t>(std::byte(seen[1]))) {
      if (!peer_.read_some()) break;
    }
    return seen.substr(std::min<std::size_t>(2, seen.size()));
  }
  // What the server knows once this pong has arrived.
  Pong answer(std::string_view payload) {
    const std::size_t before = count();
    EXPECT_TRUE(peer_.send(pong(payload)));
    EXPECT_TRUE(soon([&] { return count() > before; }));
    const std::scoped_lock lock(mutex_);
    return pongs_.empty() ? Pong() : pongs_.back();
  }

 private:
  std::size_t count() {
    const std::scoped_lock lock(mutex_);
    return pongs_.size();
  }
  Handlers handlers() {
    Handlers handlers;
    handlers.message = [](Connection& ws, MessageView message) { static_cast<void>(ws.ping(message.payload)); };
    handlers.pong = [this](Connection& ws, Bytes payload) {
      const std::scoped_lock lock(mutex_);
      pongs_.push_back({std::string(as_text(payload)), ws.round_trip_time()});
    };
    return handlers;
  }

  std::mutex mutex_;
  std::vector<Pong> pongs_;
  PlainServer server_{[this](Server& s) { s.websocket("/", handlers()); }};
  RawPeer peer_{server_.port()};
};

TEST(RoundTripTime, IsNotThatOfAPongThatAnswersNothing) {  // RFC 6455 5.5.3: those are allowed
  Pinger pinger;
  const std::string sent = pinger.ping("");
  EXPECT_EQ(pinger.answer("").round_trip, Duration::zero());
  EXPECT_EQ(pinger.answer("guessed").round_trip, Duration::zero());
  std::this_thread::sleep_for(milliseconds(50));
  const Pinger::Pong answered = pinger.answer(sent);
  EXPECT_GE(answered.round_trip, milliseconds(50));
  EXPECT_EQ(answered.payload, "") << "the application gave none";
  EXPECT_EQ(pinger.answer(sent).round_trip, answered.round_trip) << "an answer counts once";
}

TEST(RoundTripTime, IsWholeWhereAnotherPingLeavesBeforeTheAnswer) {
  Pinger pinger;
  ASSERT_EQ(pinger.ping("first"), "first");
  std::this_thread::sleep_for(milliseconds(50));
  ASSERT_EQ(pinger.ping("second"), "second");
  EXPECT_GE(pinger.answer("first").round_trip, milliseconds(50));
  EXPECT_GE(pinger.answer("second").round_trip, milliseconds(50)) << "that of the first: one is timed at a time";
}

TEST(RoundTripTime, IsKnownOfAPeerThatAnswersOnlyTheLastPing) {  // RFC 6455 5.5.3: it may
  Pinger pinger;
  ASSERT_EQ(pinger.ping("first"), "first");
  ASSERT_EQ(pinger.ping("second"), "second");
  EXPECT_EQ(pinger.answer("second").round_trip, Duration::zero());
  ASSERT_EQ(pinger.ping("third"), "third");
  EXPECT_GT(pinger.answer("third").round_trip, Duration::zero());
}

}  // namespace
}  // namespace fairlead

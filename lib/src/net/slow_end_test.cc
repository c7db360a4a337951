// SPDX-License-Identifier: Apache-2.0
// How a WebSocket ends whose peer reads late: what was sent before the close frame still arrives, within bounds, and
// nobody calls an end clean that was not.
#include "net/log_lines_testing.h"
#include "net/raw_peer_testing.h"
#include "net/testing.h"

#include <fairlead/server.h>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace fairlead {
namespace {

using net::testing::LogLines;
using net::testing::narrow_bytes;
using net::testing::NarrowServer;
using net::testing::PlainServer;
using net::testing::RawPeer;
using net::testing::soon;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::string_view opening =
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";
// Masked with a key of zeros: "m", and a close frame with 4001.
constexpr std::string_view message{"\x81\x81\0\0\0\0m", 7};
constexpr std::string_view close_4001{"\x88\x82\0\0\0\0\x0f\xa1", 8};
constexpr std::string_view close_answer{"\x88\x02\x0f\xa1", 4};

// Answers a message with so many bytes, and keeps how the last connection ended.
struct Answering {
  explicit Answering(std::size_t bytes, ServerOptions options = {})
      : server(
            [this, bytes](Server& s) {
              Handlers handlers;
              handlers.message = [bytes](Connection& ws, MessageView) { ws.send(std::string(bytes, 'x')); };
              handlers.close = [this](Connection&, const CloseInfo& seen) {
                const std::scoped_lock lock(mutex);
                info = seen;
                closed_at = steady_clock::now();
                closed = true;
              };
              s.websocket("/", handlers);
            },
            std::move(options)) {}

  std::mutex mutex;
  CloseInfo info;
  steady_clock::time_point closed_at;
  std::atomic<bool> closed = false;
  NarrowServer server;
};

// A peer that has opened, asked, and closed.
void ask_and_close(RawPeer& peer) {
  ASSERT_TRUE(peer.send(opening));
  peer.read_until("\r\n\r\n");
  peer.forget();
  ASSERT_TRUE(peer.send(std::string(message).append(close_4001)));
}

// A frame of 126 bytes or more has a header of four, one of 64 KiB or more of ten.
std::size_t answer_bytes(std::size_t payload) { return payload + (payload < 65'536 ? 4 : 10) + close_answer.size(); }

TEST(SlowEnd, NoTimerOfOtherThingsCutsOffWhatStillLeaves) {
  Answering answering(20'000, {.limits = {.idle_time = milliseconds(200)}});
  RawPeer peer(answering.server.port(), narrow_bytes);
  ask_and_close(peer);
  std::this_thread::sleep_for(milliseconds(300));  // the idle timer comes
  EXPECT_FALSE(answering.closed);
  const std::string& all = peer.read_to_end();
  EXPECT_EQ(all.size(), answer_bytes(20'000));
  EXPECT_TRUE(all.ends_with(close_answer));
  EXPECT_TRUE(peer.ended());
}

TEST(SlowEnd, WhatWaitsHasTheTimeOfEveryWriteAndNotThatOfClosing) {
  Answering answering(400'000, {.limits = {.close_time = milliseconds(100)}});
  RawPeer peer(answering.server.port(), narrow_bytes);
  ask_and_close(peer);
  std::this_thread::sleep_for(milliseconds(400));
  const std::string& all = peer.read_to_end();
  EXPECT_EQ(all.size(), answer_bytes(400'000));
  EXPECT_TRUE(all.ends_with(close_answer));
  EXPECT_TRUE(soon([&] { return answering.closed.load(); }));
  EXPECT_TRUE(answering.info.clean);
}

TEST(SlowEnd, WhoTakesNothingIsCutAfterTheStallTimeAndHasNotClosedCleanly) {
  LogLines lines;
  Answering answering(400'000, {.limits = {.idle_time = milliseconds(0), .write_stall_time = milliseconds(200)},
                                .log = lines.sink(),
                                .log_from = LogLevel::debug});
  RawPeer peer(answering.server.port(), narrow_bytes);
  ask_and_close(peer);
  ASSERT_TRUE(soon([&] { return answering.closed.load(); }));
  EXPECT_EQ(answering.info.code, 4001);
  EXPECT_FALSE(answering.info.clean);
  const std::string log = lines.all();
  const auto at = log.find("bytes_out=");
  ASSERT_NE(at, std::string::npos) << log;
  EXPECT_LT(std::stoul(log.substr(at + std::string_view("bytes_out=").size())), 100'000U) << "what has left";
}

TEST(SlowEnd, WhoTakesALittleForEverIsCutAllTheSame) {
  Answering answering(40'000, {.limits = {.idle_time = milliseconds(0),
                                          .close_time = milliseconds(100),
                                          .write_stall_time = milliseconds(1'000)}});
  RawPeer peer(answering.server.port(), 1);  // as little at a time as the system allows
  ask_and_close(peer);
  const auto asked_at = steady_clock::now();
  for (int i = 0; i < 60 && !answering.closed; ++i) {
    std::this_thread::sleep_for(milliseconds(150));
    peer.read_at_most(1'000);
  }
  ASSERT_TRUE(answering.closed) << "it took less than what it is waited for";
  EXPECT_FALSE(answering.info.clean);
  EXPECT_GT(answering.closed_at - asked_at, milliseconds(1'500)) << "it was given time";
  EXPECT_LT(answering.closed_at - asked_at, milliseconds(5'000));
}

TEST(SlowEnd, WhoEndsItsDirectionBehindItsCloseFrameStillGetsTheAnswers) {
  Answering answering(400'000);
  RawPeer peer(answering.server.port(), narrow_bytes);
  ask_and_close(peer);
  peer.end();
  std::this_thread::sleep_for(milliseconds(100));
  const std::string& all = peer.read_to_end();
  EXPECT_EQ(all.size(), answer_bytes(400'000));
  EXPECT_TRUE(all.ends_with(close_answer));
  EXPECT_TRUE(soon([&] { return answering.closed.load(); }));
  EXPECT_TRUE(answering.info.clean);
}

TEST(SlowEnd, WhoEndsItsDirectionAndTakesNothingIsCutAfterTheStallTime) {
  Answering answering(400'000, {.limits = {.idle_time = milliseconds(0), .write_stall_time = milliseconds(200)}});
  RawPeer peer(answering.server.port(), narrow_bytes);
  ask_and_close(peer);
  peer.end();
  ASSERT_TRUE(soon([&] { return answering.server.server().stats().connections == 0; }));
  EXPECT_TRUE(answering.closed);
  EXPECT_EQ(answering.info.code, 4001);
  EXPECT_FALSE(answering.info.clean);
}

// Answers a message with so many bytes, most of which the system takes, and a close frame.
struct Closes {
  explicit Closes(std::size_t bytes, ServerOptions options = {})
      : server(
            [this, bytes](Server& s) {
              Handlers handlers;
              handlers.message = [bytes](Connection& ws, MessageView) {
                ws.send(std::string(bytes, 'x'));
                static_cast<void>(ws.close(4000));
              };
              handlers.close = [this](Connection&, const CloseInfo& seen) {
                const std::scoped_lock lock(mutex);
                info = seen;
                closed = true;
              };
              s.websocket("/", handlers);
            },
            std::move(options)) {}

  std::mutex mutex;
  CloseInfo info;
  std::atomic<bool> closed = false;
  PlainServer server;
};

constexpr int little_room = 32 * 1024;  // of a peer's system

void ask(RawPeer& peer) {
  ASSERT_TRUE(peer.send(opening));
  peer.read_until("\r\n\r\n");
  peer.forget();
  ASSERT_TRUE(peer.send(message));
}

TEST(SlowEnd, WhoStillTakesWhatTheSystemHoldsAndGoesOnSendingGetsAllOfIt) {
  constexpr std::size_t bytes = 700'000;
  Closes closes(bytes, {.limits = {.messages_per_second = unlimited, .close_time = milliseconds(300)}});
  RawPeer peer(closes.server.port(), little_room);
  ask(peer);
  const auto asked_at = steady_clock::now();
  while (peer.read_at_most(16'000)) {
    std::this_thread::sleep_for(milliseconds(20));
    static_cast<void>(peer.send(message));  // a connection that was cut answers with a reset
  }
  EXPECT_GT(steady_clock::now() - asked_at, milliseconds(600)) << "longer than the time of closing";
  const std::string& all = peer.read_until("\x88");
  EXPECT_EQ(all.size(), answer_bytes(bytes));
  EXPECT_TRUE(all.ends_with("\x88\x02\x0f\xa0"));
}

TEST(SlowEnd, WhoTakesNothingOfWhatTheSystemHoldsIsCutAfterTheTimeOfClosing) {
  Closes closes(100'000, {.limits = {.close_time = milliseconds(300)}});
  RawPeer peer(closes.server.port(), little_room);
  ask(peer);
  const auto asked_at = steady_clock::now();
  ASSERT_TRUE(soon([&] { return closes.closed.load(); }));
  EXPECT_GE(steady_clock::now() - asked_at, milliseconds(290));
  EXPECT_LT(steady_clock::now() - asked_at, milliseconds(3'000));
  const std::scoped_lock lock(closes.mutex);
  EXPECT_FALSE(closes.info.clean);
}

TEST(UnfinishedMessage, WhatWaitedBehindItHasNotLeftAndTheEndIsNotClean) {
  std::atomic<bool> closed = false;
  std::atomic<bool> clean = true;
  Handlers handlers;
  handlers.open = [](Connection& ws) {
    ws.send_chunk(MessageKind::text, as_bytes("begun"), false);
    EXPECT_EQ(ws.send("an accepted message").result(), SendResult::queued);
  };
  handlers.close = [&](Connection&, const CloseInfo& info) {
    clean = info.clean;
    closed = true;
  };
  PlainServer server([&](Server& s) { s.websocket("/", handlers); });
  RawPeer peer(server.port());
  ASSERT_TRUE(peer.send(opening));
  peer.read_until("begun");
  ASSERT_TRUE(peer.send(close_4001));
  EXPECT_EQ(peer.read_to_end().find("accepted"), std::string::npos);
  ASSERT_TRUE(soon([&] { return closed.load(); }));
  EXPECT_EQ(server.server().stats().messages_dropped, 1U);
  EXPECT_FALSE(clean);
}

// We end the stream at once then, and only what the system holds is still on its way.
TEST(SlowEnd, WhoBreaksTheProtocolAndGoesOnSendingStillGetsWhatTheSystemHolds) {
  constexpr std::size_t bytes = 700'000;
  Handlers handlers;
  handlers.message = [&](Connection& ws, MessageView) { ws.send(std::string(bytes, 'x')); };
  PlainServer server([&](Server& s) { s.websocket("/", handlers); }, {.limits = {.close_time = milliseconds(300)}});
  RawPeer peer(server.port(), little_room);
  ask(peer);
  ASSERT_TRUE(peer.read_at_most(1));
  ASSERT_TRUE(peer.send("\x81\x01m"));  // unmasked
  while (peer.read_at_most(16'000)) {
    std::this_thread::sleep_for(milliseconds(20));
    static_cast<void>(peer.send(message));
  }
  const std::string& all = peer.read_until("\x88");
  ASSERT_GT(all.size(), bytes + 10);
  EXPECT_EQ(all.substr(bytes + 10, 1), "\x88");
}

}  // namespace
}  // namespace fairlead

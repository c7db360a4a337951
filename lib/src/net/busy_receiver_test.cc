// SPDX-License-Identifier: Apache-2.0
// Coroutines that receive slowly, or leave: nothing is read ahead of them without bound, nothing that came is lost, and
// the close still goes its way.
#include "net/raw_peer_testing.h"
#include "net/testing.h"

#include <fairlead/client.h>
#include <fairlead/server.h>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

namespace fairlead {
namespace {

using net::testing::client_options;
using net::testing::PlainServer;
using net::testing::RawPeer;
using net::testing::soon;
using net::testing::TestServer;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view opening =
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";

// A client's frame with a key of zeros.
std::string frame(char first_byte, std::string_view payload) {
  return std::string{first_byte, static_cast<char>(0x80 | payload.size()), 0, 0, 0, 0}.append(payload);
}
std::string text_frame(std::string_view payload) { return frame('\x81', payload); }
std::string close_frame(CloseCode code) {
  const char body[] = {static_cast<char>(code >> 8U), static_cast<char>(code & 0xFFU)};
  return frame('\x88', {body, sizeof body});
}

ServerOptions without_rates() { return {.limits = {.messages_per_second = unlimited}}; }

TEST(BusyReceiver, IsNotReadAheadOf) {  // or a fast sender of small messages would fill the memory
  std::atomic<int> received = 0;
  TestServer server(
      [&](Server& s) {
        s.websocket("/", [&](Connection& ws) -> Task<> {
          while (true) {
            const auto message = co_await ws.receive();
            if (!message) break;
            ++received;
            static_cast<void>(co_await sleep_for(milliseconds(1)));
          }
        });
      },
      without_rates());
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/"), client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    for (int i = 0; i < 400 && received < 300; ++i) {
      // Bounded: a server that reads without end would never let it fill.
      for (int n = 0; n < 50'000 && ws->queued_bytes() < 500'000; ++n) ws->send("ten bytes.");
      static_cast<void>(co_await sleep_for(milliseconds(5)));
    }
  });
  EXPECT_GE(received, 300);
  EXPECT_LT(server.server().stats().bytes_in, 600'000U) << "a read or two, however many messages have been taken";
}

TEST(BusyReceiver, GetsEverythingThatCameBeforeTheStreamEndedAndTheCloseCode) {
  constexpr int count = 100;
  std::atomic<int> received = 0;
  std::atomic<int> code = 0;
  PlainServer server(
      [&](Server& s) {
        s.websocket("/", [&](Connection& ws) -> Task<> {
          while (true) {
            const auto message = co_await ws.receive();
            if (!message) break;
            ++received;
            static_cast<void>(co_await sleep_for(milliseconds(1)));
          }
          code = ws.close_info().code;
        });
      },
      without_rates());
  RawPeer peer(server.port());
  std::string all(opening);
  for (int i = 0; i < count; ++i) all += text_frame("message");
  ASSERT_TRUE(peer.send(all + close_frame(4001)));
  peer.end();
  EXPECT_TRUE(soon([&] { return code != 0; }));
  EXPECT_EQ(received, count);
  EXPECT_EQ(code, 4001);
}

TEST(BusyReceiver, WhoLeavesWithMessagesUnreadStillClosesCleanlyAndAtOnce) {
  TestServer server(
      [](Server& s) {
        s.websocket("/", [](Connection& ws) -> Task<> {
          const auto first = co_await ws.receive();
          EXPECT_TRUE(first);
        });
      },
      without_rates());
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/"), client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    for (int i = 0; i < 200; ++i) ws->send("one of many");
    const auto began = std::chrono::steady_clock::now();
    const CloseInfo info = co_await ws->closed();
    EXPECT_EQ(info.code, close_code::normal);
    EXPECT_TRUE(info.clean);
    EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(3)) << "before Limits::close_time";
  });
  EXPECT_TRUE(soon([&] { return server.server().stats().connections == 0; }));
}

TEST(BusyReceiver, WhoClosesAndWaitsForTheEndSeesThePeersAnswer) {
  std::atomic<int> code = 0;
  std::atomic<bool> clean = false;
  TestServer server(
      [&](Server& s) {
        s.websocket("/", [&](Connection& ws) -> Task<> {
          const auto first = co_await ws.receive();
          EXPECT_TRUE(first);
          EXPECT_TRUE(ws.close(4002, "enough"));
          const CloseInfo info = co_await ws.closed();
          clean = info.clean;
          code = info.code;
        });
      },
      without_rates());
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/"), client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    for (int i = 0; i < 200; ++i) ws->send("one of many");
    co_await ws->closed();
  });
  EXPECT_TRUE(soon([&] { return code != 0; }));
  EXPECT_EQ(code, 4002);
  EXPECT_TRUE(clean);
}

// The last word of a peer that is gone is delivered, and nobody waits for room that will never come.
TEST(BusyReceiver, OfAPeerThatVanishedIsNotHeldForEver) {
  std::atomic<bool> ended = false;
  PlainServer server(
      [&](Server& s) {
        s.websocket("/", [&](Connection& ws) -> Task<> {
          const std::string large(100'000, 'x');
          while (true) {
            const auto message = co_await ws.receive();
            if (!message) break;
            co_await ws.send(large);
          }
          ended = true;
        });
      },
      {.limits = {.messages_per_second = unlimited, .outgoing_queue_bytes = 300'000}});
  {
    RawPeer peer(server.port(), 4'096);
    std::string all(opening);
    for (int i = 0; i < 100; ++i) all += text_frame("more");
    ASSERT_TRUE(peer.send(all));
    peer.end();
    std::this_thread::sleep_for(milliseconds(200));
    peer.reset_at_the_end();
  }
  EXPECT_TRUE(soon([&] { return ended && server.server().stats().connections == 0; }));
}

// What does not fit into its inbox is lost with the connection, but not how that ended.
TEST(BusyReceiver, OfAPeerThatClosedAndResetSeesTheCloseCode) {
  std::atomic<bool> goes_on = false;
  std::atomic<int> received = 0;
  std::atomic<int> code = 0;
  PlainServer server(
      [&](Server& s) {
        s.websocket("/", [&](Connection& ws) -> Task<> {
          while (!goes_on) static_cast<void>(co_await sleep_for(milliseconds(1)));
          ws.send("to whom?");
          const CloseInfo info = co_await ws.closed();
          while (true) {
            const auto message = co_await ws.receive();
            if (!message) break;
            ++received;
          }
          code = info.code;
        });
      },
      without_rates());
  {
    RawPeer peer(server.port());
    std::string all(opening);
    for (int i = 0; i < 100; ++i) all += text_frame("message");
    ASSERT_TRUE(peer.send(all));
    peer.read_until("\r\n\r\n");
    ASSERT_TRUE(peer.send(close_frame(4001)));
    peer.reset_at_the_end();
  }
  goes_on = true;
  EXPECT_TRUE(soon([&] { return code != 0; }));
  EXPECT_EQ(code, 4001);
  EXPECT_EQ(received, 16);
}

}  // namespace
}  // namespace fairlead

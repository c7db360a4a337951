// SPDX-License-Identifier: Apache-2.0
// Handlers of a connection whose peer takes its time: when `drain` is called, and when it is not.
#include "net/testing.h"

#include <fairlead/client.h>
#include <fairlead/server.h>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>

namespace fairlead {
namespace {

using net::testing::client_options;
using net::testing::soon;
using net::testing::TestServer;

// A handler that sends its backlog when it is drained would else send it again and again, from inside itself.
TEST(Drain, IsNeverCalledFromInsideASend) {
  constexpr std::size_t large = 700'000;  // past half of the outgoing limit, and sent at once
  std::atomic<bool> sending = false;
  std::atomic<int> inside = 0;
  std::atomic<int> drained = 0;
  Handlers handlers;
  handlers.message = [&](Connection& ws, const MessageView&) {
    sending = true;
    ws.send(std::string(large, 'x'));
    sending = false;
  };
  handlers.drain = [&](Connection&) {
    if (sending) ++inside;
    ++drained;
  };
  TestServer server([&](Server& s) { s.websocket("/", handlers); });
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/"), client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(ws->send("give"), SendResult::sent);
      const auto answer = co_await ws->receive();
      EXPECT_TRUE(answer);
      EXPECT_EQ(answer ? answer->payload.size() : 0, large);
    }
  });
  EXPECT_EQ(inside, 0);
  EXPECT_TRUE(soon([&] { return drained >= 3; })) << "once for each time that more than half was waiting";
}

// It is for who sends pieces: they have had room all the time.
TEST(Drain, IsNotCalledForWhatWaitsForAStreamedMessageToEnd) {
  constexpr std::size_t most_of_the_limit = 40'000;
  std::atomic<int> drained = 0;
  Handlers handlers;
  handlers.message = [&](Connection& ws, const MessageView&) {
    ws.send_chunk(MessageKind::text, as_bytes("begun"), false);
    ws.send(std::string(most_of_the_limit, 'x'));
    ws.send_chunk(MessageKind::text, as_bytes("more"), false);
  };
  handlers.drain = [&](Connection&) { ++drained; };
  TestServer server([&](Server& s) { s.websocket("/", handlers); }, {.limits = {.outgoing_queue_bytes = 64 * 1024}});
  run([&]() -> Task<> {
    auto options = client_options();
    options.stream_incoming = true;
    auto ws = co_await connect(server.url("/"), options);
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    ws->send("begin");
    std::string all;
    bool ended = false;
    while (all.size() < most_of_the_limit) {
      const auto piece = co_await ws->receive_chunk(std::chrono::seconds(5));
      EXPECT_TRUE(piece);
      if (!piece) co_return;
      all += piece->payload;
      if (ended || all != "begunmore") continue;
      ended = true;
      static_cast<void>(co_await sleep_for(std::chrono::milliseconds(20)));
      EXPECT_EQ(drained, 0);
      server.server().for_each("/", [](Connection& end) { end.send_chunk(MessageKind::text, as_bytes("end"), true); });
    }
  });
  EXPECT_TRUE(soon([&] { return drained == 1; })) << "once all of it was to leave, and has";
}

}  // namespace
}  // namespace fairlead

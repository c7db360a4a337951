// SPDX-License-Identifier: Apache-2.0
// Messages of more than half of what may wait: whoever sends at its peer's pace sends these, too, and is not closed.
#include "net/testing.h"

#include <fairlead/blocking.h>
#include <fairlead/client.h>
#include <fairlead/server.h>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <thread>

namespace fairlead {
namespace {

using net::testing::client_options;
using net::testing::soon;
using net::testing::TestServer;
using std::chrono::milliseconds;

constexpr int messages = 24;
// With what may wait by default: behind a quarter of one, another is past all of it.
const std::string large(1000 * 1024, 'x');

// How many of the messages come back to a client that is slow to take them, and how it ended.
struct Echoed {
  int messages = 0;
  CloseInfo end;
};
Echoed echoed_by(TestServer& server) {
  Echoed echoed;
  run([&]() -> Task<> {
    ClientOptions options = client_options();
    options.limits.outgoing_queue_bytes = unlimited;
    auto ws = co_await connect(server.url("/"), options);
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    for (int i = 0; i < messages; ++i) static_cast<void>(ws->send(large));
    static_cast<void>(co_await sleep_for(milliseconds(200)));
    while (echoed.messages < messages) {
      const auto message = co_await ws->receive();
      if (!message) break;
      ++echoed.messages;
      static_cast<void>(co_await sleep_for(milliseconds(5)));
    }
    static_cast<void>(ws->close());
    echoed.end = co_await ws->closed();
  });
  return echoed;
}

TEST(LargeMessages, ACoroutineThatAwaitsItsSendsNeverMeetsTheLimit) {
  TestServer server([](Server& s) {
    s.websocket("/", [](Connection& ws) -> Task<> {
      while (true) {
        const auto message = co_await ws.receive();
        if (!message) co_return;
        co_await ws.send(*message);
      }
    });
  });
  const Echoed echoed = echoed_by(server);
  EXPECT_EQ(echoed.messages, messages);
  EXPECT_EQ(echoed.end.code, close_code::normal);
}

TEST(LargeMessages, AHandlerThatAnswersNeverMeetsTheLimit) {
  Handlers handlers;
  handlers.message = [](Connection& ws, MessageView message) { static_cast<void>(ws.send(message)); };
  TestServer server([&](Server& s) { s.websocket("/", handlers); });
  const Echoed echoed = echoed_by(server);
  EXPECT_EQ(echoed.messages, messages);
  EXPECT_EQ(echoed.end.code, close_code::normal);
}

TEST(LargeMessages, ALimitedSendWaitsForTheSameRoom) {
  TestServer server([](Server& s) {
    s.websocket("/", [](Connection& ws) -> Task<> {
      while (true) {
        const auto message = co_await ws.receive();
        if (!message) co_return;
        auto sent = co_await ws.send(message->view(), std::chrono::seconds(20));
        if (!sent) co_return;
      }
    });
  });
  const Echoed echoed = echoed_by(server);
  EXPECT_EQ(echoed.messages, messages);
  EXPECT_EQ(echoed.end.code, close_code::normal);
}

// Each call waits before it sends, so that threads which send at the same time do not meet the limit together.
TEST(LargeMessages, ThreadsOfABlockingClientNeverMeetTheLimit) {
  std::atomic<int> received = 0;
  TestServer server([&](Server& s) {
    s.websocket("/", [&](Connection& ws) -> Task<> {
      while (true) {
        const auto message = co_await ws.receive();
        if (!message) co_return;
        ++received;
        static_cast<void>(co_await sleep_for(milliseconds(5)));
      }
    });
  });
  auto ws = blocking::Client::connect(server.url("/"), client_options());
  ASSERT_TRUE(ws);
  std::atomic<int> taken = 0;
  std::array<std::thread, 4> threads;
  for (std::thread& thread : threads) {
    thread = std::thread([&] {
      for (std::size_t i = 0; i < messages / threads.size(); ++i) {
        const SendResult result = ws->send(large);
        if (result == SendResult::sent || result == SendResult::queued) ++taken;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, messages);
  EXPECT_TRUE(soon([&] { return received == messages; }));
  EXPECT_EQ(ws->close().code, close_code::normal);
}

}  // namespace
}  // namespace fairlead

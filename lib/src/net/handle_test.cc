// SPDX-License-Identifier: Apache-2.0
// Connections named from elsewhere: handles on other threads and after the end, and one message for many.
#include "net/testing.h"

#include <fairlead/client.h>
#include <fairlead/server.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace fairlead {
namespace {

using net::testing::client_options;
using net::testing::soon;
using net::testing::TestServer;
using std::chrono::milliseconds;
using std::chrono::seconds;

Task<> swallow(Connection& ws) {
  while (true) {
    const auto message = co_await ws.receive();
    if (!message) co_return;
  }
}

TEST(Handles, SendFromAnotherThreadAndAfterTheEnd) {
  std::atomic<bool> ready = false;
  ConnectionHandle handle;
  TestServer server([&](Server& s) {
    Handlers handlers;
    handlers.open = [&](Connection& ws) {
      handle = ws.handle();
      ready = true;
    };
    s.websocket("/", handlers);
  });
  std::thread sender([&] {
    while (!ready) std::this_thread::yield();
    for (int i = 0; i < 100; ++i) EXPECT_EQ(handle.send(std::to_string(i)), SendResult::queued);
    handle.close(4000);
  });
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/"), client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    for (int i = 0; i < 100; ++i) {
      auto message = co_await ws->receive();
      EXPECT_TRUE(message);
      if (!message) co_return;
      EXPECT_EQ(message->payload, std::to_string(i));
    }
    const CloseInfo end = co_await ws->closed();
    EXPECT_EQ(end.code, 4000);
  });
  sender.join();
  for (int i = 0; i < 500 && handle.open(); ++i) std::this_thread::sleep_for(milliseconds(10));
  EXPECT_EQ(handle.send("too late"), SendResult::closed);
  EXPECT_EQ(ConnectionHandle().send("nobody"), SendResult::closed);
}

// A loop that is held up is not told more and more: who sends from elsewhere gets an answer.
TEST(Handles, WhatIsOnItsWayToABusyLoopIsBounded) {
  constexpr std::size_t queue = 100'000;
  std::atomic<bool> ready = false;
  std::atomic<bool> held = false;
  std::atomic<bool> go_on = false;
  ConnectionHandle handle;
  TestServer server(
      [&](Server& s) {
        Handlers handlers;
        handlers.open = [&](Connection& ws) {
          handle = ws.handle();
          ready = true;
        };
        s.websocket("/", handlers);
      },
      {.limits = {.outgoing_queue_bytes = queue}});
  std::thread sender([&] {
    while (!ready) std::this_thread::yield();
    handle.post([&](Connection&) {
      held = true;
      for (int i = 0; i < 10'000 && !go_on; ++i) std::this_thread::sleep_for(milliseconds(1));
    });
    while (!held) std::this_thread::yield();
    const std::string large(1'000, 'x');
    std::size_t taken = 0;
    while (taken < 1'000 && handle.send(large) == SendResult::queued) ++taken;
    EXPECT_GE(taken, 80U);
    EXPECT_LE(taken, queue / large.size());
    EXPECT_EQ(handle.send(large), SendResult::over_limit);
    std::size_t small = 0;
    while (small < 100'000 && handle.send("") == SendResult::queued) ++small;
    EXPECT_LT(small, 100U) << "messages without a payload take room, too";
    EXPECT_EQ(handle.post([](Connection&) {}), SendResult::over_limit) << "and work does";
    EXPECT_EQ(handle.close(1), SendResult::invalid);
    go_on = true;
    SendResult last = SendResult::over_limit;
    for (int i = 0; i < 500 && last == SendResult::over_limit; ++i) {
      std::this_thread::sleep_for(milliseconds(10));
      last = handle.send("there is room again");
    }
    EXPECT_EQ(last, SendResult::queued);
  });
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/"), client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    while (true) {
      auto message = co_await ws->receive();
      EXPECT_TRUE(message);
      if (!message || message->payload == "there is room again") break;
    }
  });
  sender.join();
}

TEST(Handles, ACloseIsHeardHoweverMuchIsOnItsWayAndHoweverOftenItIsAskedFor) {
  std::atomic<bool> ready = false;
  std::atomic<bool> held = false;
  std::atomic<bool> go_on = false;
  ConnectionHandle handle;
  TestServer server(
      [&](Server& s) {
        Handlers handlers;
        handlers.open = [&](Connection& ws) {
          handle = ws.handle();
          ready = true;
        };
        s.websocket("/", handlers);
      },
      {.limits = {.outgoing_queue_bytes = 10'000}});
  std::thread other([&] {
    while (!ready) std::this_thread::yield();
    handle.post([&](Connection&) {
      held = true;
      for (int i = 0; i < 10'000 && !go_on; ++i) std::this_thread::sleep_for(milliseconds(1));
    });
    while (!held) std::this_thread::yield();
    std::size_t posted = 0;
    while (posted < 10'000 && handle.post([](Connection&) {}) == SendResult::queued) ++posted;
    EXPECT_LT(posted, 100U);
    EXPECT_EQ(handle.close(4001, "the first"), SendResult::queued);
    for (int i = 0; i < 1'000; ++i) EXPECT_EQ(handle.close(4002, "a later one"), SendResult::queued);
    go_on = true;
  });
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/"), client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    const CloseInfo end = co_await ws->closed();
    EXPECT_EQ(end.code, 4001);
    EXPECT_EQ(end.reason, "the first");
  });
  other.join();
}

TEST(SharedMessages, ReachEveryConnectionOfTheRoute) {
  TestServer server([](Server& s) { s.websocket("/", swallow); });
  std::atomic<int> got = 0;
  std::atomic<int> open = 0;
  std::thread clients([&] {
    run([&]() -> Task<> {
      for (int i = 0; i < 10; ++i) {
        spawn([&]() -> Task<> {
          auto ws = co_await connect(server.url("/"), client_options());
          EXPECT_TRUE(ws);
          if (!ws) co_return;
          ++open;
          auto message = co_await ws->receive();
          if (message && message->payload == std::string(5'000, 'n')) ++got;
        });
      }
      co_return;
    });
  });
  for (int i = 0; i < 1000 && open < 10; ++i) std::this_thread::sleep_for(milliseconds(10));
  const auto news = SharedMessage::text(std::string(5'000, 'n'));
  server.server().for_each("/", [news](Connection& ws) { ws.send(news); });
  clients.join();
  EXPECT_EQ(got, 10);
}

}  // namespace
}  // namespace fairlead

// SPDX-License-Identifier: Apache-2.0
#include "net/testing.h"

#include <fairlead/client.h>
#include <fairlead/server.h>

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <stop_token>
#include <thread>
#include <utility>

namespace fairlead {
namespace {

using net::testing::client_options;
using net::testing::TestServer;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr double almost_one = 0.999'999;

TEST(ReconnectDelay, CeilingDoublesUpToTheLongest) {
  const ReconnectOptions options{.first_delay = milliseconds(500), .longest_delay = seconds(30)};
  EXPECT_NEAR(static_cast<double>(reconnect_delay(options, 0, false, {}, almost_one).count()), 500, 1);
  EXPECT_NEAR(static_cast<double>(reconnect_delay(options, 3, false, {}, almost_one).count()), 4'000, 1);
  EXPECT_NEAR(static_cast<double>(reconnect_delay(options, 50, false, {}, almost_one).count()), 30'000, 1);
}

TEST(ReconnectDelay, IsDrawnFromTheWholeRange) {  // "full jitter": nobody comes back in a wave
  const ReconnectOptions options;
  EXPECT_EQ(reconnect_delay(options, 4, false, {}, 0.0), milliseconds(0));
  EXPECT_EQ(reconnect_delay(options, 4, false, {}, 0.5), milliseconds(4'000));
}

TEST(ReconnectDelay, ARestartSpreadsClientsWiderFromTheFirstAttemptOn) {  // 1012, 1013
  const ReconnectOptions options{.restart_delay = seconds(5)};
  EXPECT_EQ(reconnect_delay(options, 0, true, {}, 0.5), milliseconds(2'500));
}

TEST(ReconnectDelay, NeverShorterThanRetryAfter) {
  const ReconnectOptions options;
  EXPECT_EQ(reconnect_delay(options, 0, false, seconds(7), 0.0), seconds(7));
  EXPECT_GE(reconnect_delay(options, 2, false, seconds(7), 0.7), seconds(7));
}

// How connect_persistently ends, which it has to do long before a close that nobody answers is given up.
std::expected<void, ConnectError> ends_soon(const std::function<Task<>(Connection&)>& serve,
                                            const std::function<Task<bool>(Connection&)>& session,
                                            std::stop_source& stop) {
  auto server = std::make_unique<TestServer>([&](Server& s) { s.websocket("/", serve); });
  std::promise<std::expected<void, ConnectError>> promise;
  auto result = promise.get_future();
  std::thread client([&, url = server->url("/")] {
    run([&]() -> Task<> {
      ClientOptions options = client_options();
      options.limits.close_time = seconds(60);
      const ReconnectOptions at_once{.first_delay = milliseconds(1), .longest_delay = milliseconds(1)};
      auto ended = co_await connect_persistently(url, session, options, at_once, stop.get_token());
      promise.set_value(std::move(ended));
    });
  });
  EXPECT_EQ(result.wait_for(seconds(10)), std::future_status::ready);
  stop.request_stop();
  server.reset();  // which ends what is still waited for
  client.join();
  return result.get();
}

TEST(ConnectPersistently, ClosesWhatASessionLeavesOpenAndComesBack) {
  std::stop_source stop;
  int sessions = 0;
  const auto ended = ends_soon([](Connection& ws) -> Task<> { co_await ws.closed(); },
                               [&](Connection&) -> Task<bool> { co_return ++sessions < 3; }, stop);
  EXPECT_TRUE(ended);
  EXPECT_EQ(sessions, 3);
}

TEST(ConnectPersistently, IsCalledOffWhileItWaitsForTheEndOfAConnection) {
  std::stop_source stop;
  const auto reads_nothing = [](Connection&) -> Task<> {  // so that it sees no close frame either
    static_cast<void>(co_await sleep_for(seconds(60)));
  };
  const auto ended = ends_soon(
      reads_nothing,
      [&](Connection& ws) -> Task<bool> {
        for (int i = 0; i < 100; ++i) static_cast<void>(ws.send("one that waits before the close frame"));
        spawn([&stop]() -> Task<> {
          static_cast<void>(co_await sleep_for(milliseconds(50)));
          stop.request_stop();
        });
        co_return true;
      },
      stop);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Errc::cancelled);
}

}  // namespace
}  // namespace fairlead

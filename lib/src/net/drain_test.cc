// SPDX-License-Identifier: Apache-2.0
// Handlers of a connection whose peer takes its time: when `drain` is called, and when it is not.
#include "net/testing.h"

#include <fairlead/client.h>
#include <fairlead/server.h>

#include <gtest/gtest.h>

#include <atomic>
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

}  // namespace
}  // namespace fairlead

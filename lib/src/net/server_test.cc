// SPDX-License-Identifier: Apache-2.0
// Servers and clients of the public API against each other, over loopback and TLS.
#include "net/testing.h"

#include <fairlead/blocking.h>
#include <fairlead/client.h>
#include <fairlead/server.h>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>

namespace fairlead {
namespace {

using net::testing::client_options;
using net::testing::TestServer;
using std::chrono::milliseconds;
using std::chrono::seconds;

Task<> echo(Connection& ws) {
  while (auto message = co_await ws.receive()) co_await ws.send(*message);
}


TEST(Echo, CoroutineServerAnswersACoroutineClient) {
  TestServer server([](Server& s) { s.websocket("/echo", echo); });
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/echo"), client_options());
    EXPECT_TRUE(ws) << to_string(ws.error());
    if (!ws) co_return;
    EXPECT_EQ(ws->tls().version, "TLSv1.3");
    for (const std::string& text : {std::string("hello"), std::string(), std::string(200'000, 'x')}) {
      co_await ws->send(text);
      auto answer = co_await ws->receive();
      EXPECT_TRUE(answer);
      if (!answer) co_return;
      EXPECT_EQ(answer->payload, text);
      EXPECT_EQ(answer->kind, MessageKind::text);
    }
    EXPECT_TRUE(ws->close(4001, "done"));
    const CloseInfo info = co_await ws->closed();
    EXPECT_TRUE(info.clean);
    EXPECT_EQ(info.code, 4001);
    EXPECT_EQ(info.sent_code, 4001);
  });
}

}  // namespace
}  // namespace fairlead

// SPDX-License-Identifier: Apache-2.0
// What a loop's clients keep for later connections, and that it does not grow with what they have connected to.
#include "net/client_contexts.h"

#include "net/loop_context.h"
#include "net/testing.h"

#include <fairlead/client.h>
#include <fairlead/server.h>

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace fairlead::net {
namespace {

using std::chrono::milliseconds;
using testing::client_options;
using testing::TestServer;

constexpr std::string_view here = "127.0.0.1:";

// Connects once and closes; `meanwhile` is called in between. Its ticket has been given back then.
Task<> connect_once(TestServer& server, std::function<void(ClientContexts&)> meanwhile) {
  auto ws = co_await connect(server.url("/"), client_options());
  EXPECT_TRUE(ws);
  if (!ws) co_return;
  ws->send("x");
  static_cast<void>(co_await ws->receive());  // the tickets have come before
  meanwhile(*LoopContext::current()->clients);
  static_cast<void>(ws->close());
  static_cast<void>(co_await ws->closed());
  while (!LoopContext::current()->channels.empty()) static_cast<void>(co_await sleep_for(milliseconds(1)));
}

struct KeptForClients : ::testing::Test {
  TestServer server{[](Server& s) {
    Handlers echo;
    echo.message = [](Connection& ws, MessageView message) { ws.send(message); };
    s.websocket("/", echo);
  }};
  const std::string endpoint = std::string(here) + std::to_string(server.port());
};

TEST_F(KeptForClients, ATicketServesTheNextConnectionToTheSameEndpoint) {
  run([&]() -> Task<> {
    co_await connect_once(server, [](ClientContexts&) {});
    ClientContexts& clients = *LoopContext::current()->clients;
    const auto context = *clients.find(client_options().tls);
    EXPECT_FALSE(clients.take_session(*context, "elsewhere:443")->available());
    EXPECT_TRUE(clients.take_session(*context, endpoint)->available());
    EXPECT_FALSE(clients.take_session(*context, endpoint)->available()) << "it is handed out once";
  });
}

// A context holds the whole trust store.
TEST_F(KeptForClients, OptionsThatOthersHavePushedOutAreNotKeptForTheirTickets) {
  run([&]() -> Task<> {
    std::weak_ptr<const tls::ClientContext> pushed_out;
    co_await connect_once(server, [&](ClientContexts& clients) {
      pushed_out = *clients.find(client_options().tls);
      for (int i = 0; i < 8; ++i) {
        TlsClient other = client_options().tls;
        other.server_name = "host-" + std::to_string(i) + ".example";
        EXPECT_TRUE(clients.find(other));
      }
    });
    EXPECT_TRUE(pushed_out.expired());
  });
}

TEST_F(KeptForClients, TicketsOfManyEndpointsAreBounded) {
  run([&]() -> Task<> {
    co_await connect_once(server, [](ClientContexts&) {});
    ClientContexts& clients = *LoopContext::current()->clients;
    const auto context = *clients.find(client_options().tls);
    const auto ticket = clients.take_session(*context, endpoint);
    EXPECT_TRUE(ticket->available());
    const auto name = [](int number) { return "host-" + std::to_string(number) + ".example:443"; };
    constexpr int endpoints = 10'000;
    for (int i = 0; i < endpoints; ++i) {
      static_cast<void>(clients.take_session(*context, name(i)));
      clients.give_back(*context, name(i), ticket);
    }
    int kept = 0;
    for (int i = 0; i < endpoints; ++i) kept += clients.take_session(*context, name(i))->available() ? 1 : 0;
    EXPECT_EQ(kept, 1'024);
    clients.give_back(*context, "again", ticket);
    for (int i = 0; i < 1'023; ++i) clients.give_back(*context, name(i), ticket);
    clients.give_back(*context, "again", ticket);
    for (int i = 1'023; i < 2'000; ++i) clients.give_back(*context, name(i), ticket);
    EXPECT_TRUE(clients.take_session(*context, "again")->available()) << "those of long ago go first";
    EXPECT_FALSE(clients.take_session(*context, name(0))->available());
  });
}

}  // namespace
}  // namespace fairlead::net

// SPDX-License-Identifier: Apache-2.0
// What a server says of single connections: each bad peer once, with a counter; each WebSocket where it is asked for.
#include "net/log_lines_testing.h"
#include "net/raw_peer_testing.h"
#include "net/testing.h"

#include <fairlead/client.h>
#include <fairlead/server.h>

#include <gtest/gtest.h>

#include <atomic>
#include <string>

namespace fairlead {
namespace {

using net::testing::client_options;
using net::testing::LogLines;
using net::testing::PlainServer;
using net::testing::RawPeer;
using net::testing::soon;
using net::testing::TestServer;
using std::chrono::milliseconds;

Task<> echo(Connection& ws) {
  while (true) {
    const auto message = co_await ws.receive();
    if (!message) co_return;
    co_await ws.send(*message);
  }
}

void talk(TestServer& server) {
  run([&]() -> Task<> {
    ClientOptions options = client_options();
    options.subprotocols = {"v1"};
    auto ws = co_await connect(server.url("/in?token=secret"), options);
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    co_await ws->send("hello");
    static_cast<void>(co_await ws->receive());
    EXPECT_TRUE(ws->close(4000, "secret"));
    co_await ws->closed();
  });
}

TEST(ConnectionLog, TellsOfEachWebSocketWhenItOpensAndWhenItEnds) {
  LogLines lines;
  RouteOptions route;
  route.subprotocols = {"v1"};
  TestServer server([&](Server& s) { s.websocket("/in", echo, route); },
                    {.log = lines.sink(), .log_from = LogLevel::debug});
  talk(server);
  ASSERT_TRUE(soon([&] { return lines.with("websocket ended") == 1; })) << lines.all();
  EXPECT_EQ(lines.with("debug websocket opened peer=127.0.0.1:"), 1) << lines.all();
  EXPECT_EQ(lines.with(" path=/in subprotocol=v1 tls=TLSv1.3"), 1) << lines.all();
  // Masked "hello" and a close frame with a reason of six bytes; "hello" and the echo of the close.
  EXPECT_EQ(lines.with(" path=/in code=4000 sent_code=4000 seconds=0."), 1) << lines.all();
  EXPECT_EQ(lines.with(" bytes_in=25 bytes_out=11"), 1) << lines.all();
  EXPECT_EQ(lines.with("secret"), 0) << lines.all();
}

// Such a path is refused, and what is said of it does not repeat it.
TEST(LoggedPaths, HaveNoControlCharacters) {
  LogLines lines;
  PlainServer server([](Server& s) { s.websocket("/", echo); }, {.log = lines.sink()});
  {
    RawPeer refused(server.port());
    ASSERT_TRUE(
        refused.send("GET /a%0ainfo%1b HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"));
    refused.read_until("\r\n\r\n");
  }
  EXPECT_EQ(lines.with("http_malformed: the path is ambiguous or malformed"), 1) << lines.all();
  EXPECT_EQ(lines.with("\n"), 0) << lines.all();
  EXPECT_EQ(lines.with("\x1b"), 0) << lines.all();
}

TEST(ConnectionLog, IsSilentUnlessItIsAskedFor) {
  LogLines lines;
  RouteOptions route;
  route.subprotocols = {"v1"};
  TestServer server([&](Server& s) { s.websocket("/in", echo, route); }, {.log = lines.sink()});
  talk(server);
  ASSERT_TRUE(soon([&] { return server.server().stats().websockets == 0; }));
  EXPECT_EQ(lines.with(""), 0) << lines.all();
}

TEST(BadPeers, WhoBreaksOffATlsHandshakeIsLoggedAndCounted) {
  LogLines lines;
  TestServer server([](Server& s) { s.websocket("/", echo); }, {.log = lines.sink()});
  {
    const RawPeer peer(server.port());
    peer.send("\x16\x03\x01");
    peer.end();
    ASSERT_TRUE(soon([&] { return lines.with("unexpected_eof") == 1; })) << lines.all();
  }
  {
    const RawPeer peer(server.port());
    peer.send("\x16\x03\x01");
    peer.reset_at_the_end();
  }
  ASSERT_TRUE(soon([&] { return lines.with("connection_reset") == 1; })) << lines.all();
  EXPECT_EQ(server.server().stats().tls_failed, 2U);
  EXPECT_EQ(server.server().stats().failed(Errc::unexpected_eof), 1U);
}

TEST(BadPeers, WhoTakesNoAnswerIsLoggedAndCounted) {
  LogLines lines;
  PlainServer server(
      [](Server& s) { s.http("/", [](const Request&) { return Response::text(200, std::string(16 << 20, 'x')); }); },
      {.limits = {.write_stall_time = milliseconds(100)}, .log = lines.sink()});
  const RawPeer peer(server.port(), 4'096);
  ASSERT_TRUE(peer.send("GET /?token=secret HTTP/1.1\r\nHost: x\r\n\r\n"));
  ASSERT_TRUE(soon([&] { return lines.with("timed_out: the peer takes no answer") == 1; })) << lines.all();
  EXPECT_EQ(server.server().stats().failed(Errc::timed_out), 1U);
  EXPECT_EQ(lines.with("secret"), 0);
}

constexpr std::string_view upgrade =
    "GET /?token=secret HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";

// A route that sends more than any socket takes, in messages that come one by one.
void flood(Server& server) {
  Handlers handlers;
  handlers.open = [](Connection& ws) {
    const std::string large(64 * 1024, 'x');
    for (int i = 0; i < 256; ++i) ws.send(large);
  };
  server.websocket("/", handlers);
}

TEST(BadPeers, AWebSocketThatTakesNothingIsLoggedAndCounted) {
  LogLines lines;
  PlainServer server(flood, {.limits = {.outgoing_queue_bytes = unlimited, .write_stall_time = milliseconds(100)},
                             .log = lines.sink()});
  const RawPeer peer(server.port(), 4'096);
  ASSERT_TRUE(peer.send(upgrade));
  ASSERT_TRUE(soon([&] { return lines.with("websocket cut peer=127.0.0.1:") == 1; })) << lines.all();
  EXPECT_EQ(lines.with("timed_out: the peer takes no data"), 1) << lines.all();
  EXPECT_EQ(server.server().stats().failed(Errc::timed_out), 1U);
  EXPECT_EQ(lines.with("secret"), 0);
}

// Why it ended does not wait behind the messages that nobody takes.
TEST(BadPeers, WhoIsTooSlowIsToldOfAlsoWhenTheApplicationReceivesNothing) {
  LogLines lines;
  std::atomic<bool> received_to_the_end = false;
  std::atomic<Errc> why{};
  PlainServer server(
      [&](Server& s) {
        s.websocket("/", [&](Connection& ws) -> Task<> {
          static_cast<void>(co_await sleep_for(milliseconds(100)));  // what waits for it is as much as may wait
          const std::string large(64 * 1024, 'x');
          for (int i = 0; i < 512 && ws.open(); ++i) {
            static_cast<void>(ws.send(large));
            static_cast<void>(co_await sleep_for(milliseconds(0)));
          }
          while (lines.with("websocket ended") == 0) static_cast<void>(co_await sleep_for(milliseconds(5)));
          while (true) {
            const auto message = co_await ws.receive();
            if (!message) break;
          }
          if (ws.error() != nullptr) why = ws.error()->code;
          received_to_the_end = true;
        });
      },
      {.limits = {.outgoing_queue_bytes = 256 * 1024, .write_stall_time = milliseconds(100)},
       .log = lines.sink(),
       .log_from = LogLevel::debug});
  const RawPeer peer(server.port(), 4'096);
  std::string bytes(upgrade);
  for (int i = 0; i < 40; ++i) bytes += std::string{'\x81', '\x81', 0, 0, 0, 0, 'm'};
  ASSERT_TRUE(peer.send(bytes));
  ASSERT_TRUE(soon([&] { return received_to_the_end.load(); })) << lines.all();
  EXPECT_EQ(lines.with("info websocket failed peer=127.0.0.1:"), 1) << lines.all();
  EXPECT_EQ(lines.with("outgoing_queue_full"), 1) << lines.all();
  EXPECT_EQ(server.server().stats().failed(Errc::outgoing_queue_full), 1U);
  EXPECT_EQ(why, Errc::outgoing_queue_full);
}

TEST(BadPeers, WhoseMessagesAreDroppedIsLoggedOnceAndEachIsCounted) {
  for (const auto policy : {OverflowPolicy::drop_newest, OverflowPolicy::drop_oldest}) {
    LogLines lines;
    PlainServer server(flood,
                       {.limits = {.outgoing_queue_bytes = 256 * 1024, .overflow = policy}, .log = lines.sink()});
    const RawPeer peer(server.port(), 4'096);
    ASSERT_TRUE(peer.send(upgrade));
    ASSERT_TRUE(soon([&] { return server.server().stats().messages_dropped > 50; })) << lines.all();
    EXPECT_LT(server.server().stats().messages_dropped, 256U);
    EXPECT_EQ(lines.with("websocket drops messages peer=127.0.0.1:"), 1) << lines.all();
    EXPECT_EQ(lines.with("secret"), 0);
  }
}

}  // namespace
}  // namespace fairlead

// SPDX-License-Identifier: Apache-2.0
// How a WebSocket ends while it is held (`pause_receiving`), or closes after it was: nobody waits for a peer that has
// gone, and none that is there is taken for gone.
#include "net/raw_peer_testing.h"
#include "net/relay_testing.h"
#include "net/testing.h"

#include <fairlead/client.h>
#include <fairlead/server.h>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace fairlead {
namespace {

using net::testing::client_options;
using net::testing::PlainServer;
using net::testing::RawPeer;
using net::testing::Relay;
using net::testing::soon;
using net::testing::TestServer;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view opening =
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";

// Does `work` with each WebSocket, on its loop, and waits for it.
void with_each(Server& server, std::size_t count, const std::function<void(Connection&)>& work) {
  ASSERT_TRUE(soon([&] { return server.stats().websockets == count; }));
  std::atomic<std::size_t> done = 0;
  server.for_each("/", [&](Connection& ws) {
    work(ws);
    ++done;
  });
  ASSERT_TRUE(soon([&] { return done == count; }));
}

// What became of one connection.
struct End {
  std::atomic<int> messages = 0;
  std::atomic<int> code = 0;

  Handlers handlers() {
    Handlers all;
    all.message = [this](Connection&, MessageView) { ++messages; };
    all.close = [this](Connection&, const CloseInfo& info) { code = info.code; };
    return all;
  }
};

TEST(HeldConnection, WhosePeerEndsTcpWithoutCloseNotifyEnds) {  // nothing can be sealed for it any more
  End end;
  TestServer server([&](Server& s) { s.websocket("/", end.handlers()); });
  Relay relay(server.port());
  std::thread client([&] {
    run([&]() -> Task<> {
      auto ws = co_await connect(relay.url(), client_options());
      EXPECT_TRUE(ws);
      if (!ws) co_return;
      static_cast<void>(co_await ws->closed(seconds(10)));
    });
  });
  with_each(server.server(), 1, [](Connection& ws) { ws.pause_receiving(); });
  relay.end();
  EXPECT_TRUE(soon([&] { return end.code == close_code::abnormal; }));
  EXPECT_EQ(server.server().stats().failed(Errc::unexpected_eof), 1U);
  client.join();
}

TEST(HeldConnection, ThatIsResetEndsAndCounts) {
  End end;
  PlainServer server([&](Server& s) { s.websocket("/", end.handlers()); });
  auto peer = std::make_unique<RawPeer>(server.port());
  ASSERT_TRUE(peer->send(opening));
  with_each(server.server(), 1, [](Connection& ws) { ws.pause_receiving(); });
  peer->reset_at_the_end();
  peer.reset();
  EXPECT_TRUE(soon([&] { return end.code == close_code::abnormal; }));
  EXPECT_EQ(server.server().stats().failed(Errc::connection_reset), 1U);
}

// Its ping had gone out when the connection was paused, and the answer could not be read.
TEST(HeldConnection, ThatGoesOnAfterMoreThanItsIdleTimeIsNotIdle) {
  constexpr milliseconds idle(200);
  End end;
  PlainServer server([&](Server& s) { s.websocket("/", end.handlers()); }, {.limits = {.idle_time = idle}});
  RawPeer peer(server.port());
  ASSERT_TRUE(peer.send(opening));
  with_each(server.server(), 1, [](Connection& ws) { ws.pause_receiving(); });
  const std::string_view ping{"\x89\0", 2};
  ASSERT_TRUE(peer.read_until(ping).ends_with(ping));
  ASSERT_TRUE(peer.send({"\x8A\x80\0\0\0\0", 6}));
  std::this_thread::sleep_for(idle);
  with_each(server.server(), 1, [](Connection& ws) { ws.resume_receiving(); });
  peer.forget();
  ASSERT_TRUE(peer.read_until(ping).ends_with(ping)) << "of an idle time that begins anew";
  EXPECT_EQ(end.code, 0);
}

// Under TLS: some of it lies in records that have been read, the rest in the system.
TEST(HeldConnection, WhosePeerClosedAndResetHasClosedAndIsHandedNothingOver) {
  constexpr std::size_t more_than_the_system_takes = std::size_t{16} * 1024 * 1024;
  End end;
  Handlers handlers = end.handlers();
  handlers.message = [&](Connection& ws, MessageView) {
    ++end.messages;
    ws.pause_receiving();
  };
  TestServer server([&](Server& s) { s.websocket("/", handlers); },
                    {.limits = {.outgoing_queue_bytes = 2 * more_than_the_system_takes}});
  Relay relay(server.port());
  std::atomic<bool> opened = false;
  std::atomic<bool> asks = false;
  std::thread client([&] {
    run([&]() -> Task<> {
      auto ws = co_await connect(relay.url(), client_options());
      EXPECT_TRUE(ws);
      if (!ws) co_return;
      opened = true;
      while (!asks) static_cast<void>(co_await sleep_for(milliseconds(1)));
      for (int i = 0; i < 3; ++i) ws->send("message");
      while (end.messages == 0) static_cast<void>(co_await sleep_for(milliseconds(1)));
      const std::size_t before = relay.carried_bytes();
      static_cast<void>(ws->close(4001));
      while (relay.carried_bytes() == before) static_cast<void>(co_await sleep_for(milliseconds(1)));
      relay.reset();
      static_cast<void>(co_await ws->closed(seconds(10)));
    });
  });
  EXPECT_TRUE(soon([&] { return opened.load(); }));
  relay.take_nothing();
  with_each(server.server(), 1, [](Connection& ws) { ws.send(std::string(more_than_the_system_takes, 'x')); });
  asks = true;
  EXPECT_TRUE(soon([&] { return end.code != 0; }));
  EXPECT_EQ(end.code, 4001);
  EXPECT_EQ(end.messages, 1);
  client.join();
}

TEST(HeldConnection, StaysHeldByACloseThatIsRefused) {
  End end;
  PlainServer server([&](Server& s) { s.websocket("/", end.handlers()); });
  RawPeer peer(server.port());
  ASSERT_TRUE(peer.send(opening));
  with_each(server.server(), 1, [](Connection& ws) { ws.pause_receiving(); });
  ASSERT_TRUE(peer.send({"\x81\x81\0\0\0\0m", 7}));
  with_each(server.server(), 1, [](Connection& ws) { EXPECT_FALSE(ws.close(close_code::abnormal)); });
  with_each(server.server(), 1, [&](Connection&) { EXPECT_EQ(end.messages, 0); });  // a turn later
  with_each(server.server(), 1, [](Connection& ws) { ws.resume_receiving(); });
  EXPECT_TRUE(soon([&] { return end.messages == 1; }));
}

TEST(HeldConnection, WithTheShortestIdleTimeCostsLittle) {
  constexpr milliseconds a_while(300);
  Handlers handlers;
  handlers.open = [](Connection& ws) { ws.pause_receiving(); };
  PlainServer server([&](Server& s) { s.websocket("/", handlers); }, {.limits = {.idle_time = milliseconds(1)}});
  RawPeer peer(server.port());
  ASSERT_TRUE(peer.send(opening));
  ASSERT_TRUE(soon([&] { return server.server().stats().websockets == 1; }));
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(a_while);
  const double busy = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  EXPECT_LT(busy, std::chrono::duration<double>(a_while).count() / 2) << "the loop waits";
  EXPECT_EQ(server.server().stats().websockets, 1U);
}

}  // namespace
}  // namespace fairlead

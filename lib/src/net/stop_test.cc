// SPDX-License-Identifier: Apache-2.0
// What a server leaves behind when it is stopped: nothing.
#include "net/raw_peer_testing.h"
#include "net/testing.h"

#include <fairlead/asio.h>
#include <fairlead/server.h>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace fairlead {
namespace {

using net::testing::PlainServer;
using net::testing::RawPeer;
using net::testing::soon;
using std::chrono::seconds;

constexpr std::string_view opening =
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";

std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
}

TEST(Stop, EndsEverythingNow) {
  std::atomic<int> closed = 0;
  Handlers handlers;
  handlers.close = [&](Connection&, const CloseInfo&) { ++closed; };
  PlainServer server([&](Server& s) { s.websocket("/", handlers); });
  RawPeer in_http(server.port());
  RawPeer in_websocket(server.port());
  ASSERT_TRUE(in_websocket.send(opening));
  in_websocket.read_until("\r\n\r\n");
  ASSERT_TRUE(soon([&] { return server.server().stats().connections == 2; }));
  server.server().stop();
  server.server().wait();
  EXPECT_EQ(closed, 1) << "its handler has been told";
  in_websocket.read_to_end();
  in_http.read_to_end();
  EXPECT_TRUE(in_http.ended());
  EXPECT_FALSE(RawPeer(server.port()).connected()) << "nobody listens any more";
  EXPECT_EQ(server.server().stats().connections, 0U);
}

TEST(Stop, FromInsideOfAHandlerEndsEverythingToo) {
  std::atomic<int> closed = 0;
  Server* stopped = nullptr;
  Handlers handlers;
  handlers.open = [&](Connection&) { stopped->stop(); };
  handlers.close = [&](Connection&, const CloseInfo&) { ++closed; };
  PlainServer server([&](Server& s) {
    stopped = &s;
    s.websocket("/", handlers);
  });
  RawPeer peer(server.port());
  ASSERT_TRUE(peer.send(opening));
  server.server().wait();
  EXPECT_EQ(closed, 1);
}

// The second loop is busy; the last of these connections is on its way to it when the server stops.
TEST(Stop, ClosesAConnectionThatIsOnItsWayToALoop) {
  const std::string path = net::testing::certificate_directory() + "/handed-over";
  const std::ptrdiff_t before = open_descriptors();
  std::vector<std::unique_ptr<RawPeer>> peers;
  {
    std::promise<void> go_on;
    std::atomic<bool> holds = false;
    Handlers busy;
    busy.open = [&, go = go_on.get_future().share()](Connection&) {
      holds = true;
      EXPECT_EQ(go.wait_for(seconds(10)), std::future_status::ready);
    };
    ServerOptions options;
    options.threads = 2;
    Server server(std::move(options));
    server.websocket("/", busy);
    ASSERT_TRUE(server.dangerously_listen_without_tls("unix:" + path));
    ASSERT_TRUE(server.start());
    const auto connect_another = [&] {
      peers.push_back(std::make_unique<RawPeer>(path));
      ASSERT_TRUE(peers.back()->connected());
    };
    connect_another();  // to the first loop
    connect_another();  // to the second
    ASSERT_TRUE(peers.back()->send(opening));
    ASSERT_TRUE(soon([&] { return holds.load(); }));
    connect_another();  // to the first, which has seen the next one when it has seen this
    connect_another();
    connect_another();
    ASSERT_TRUE(soon([&] { return server.stats().connections == 4; }));
    server.stop();
    go_on.set_value();
  }
  EXPECT_EQ(open_descriptors(), before + static_cast<std::ptrdiff_t>(peers.size()));
  for (const auto& peer : peers) {
    peer->read_to_end();
    EXPECT_TRUE(peer->ended());
  }
}

// LeakSanitizer looks at what is left.
TEST(Stop, LeavesNothingOfADrainThatWasOverBeforeItsWindow) {
  PlainServer server([](Server& s) { s.websocket("/", Handlers{}); });
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (int i = 0; i < 4; ++i) {
    peers.push_back(std::make_unique<RawPeer>(server.port()));
    ASSERT_TRUE(peers.back()->send(opening));
    peers.back()->read_until("\r\n\r\n");
  }
  ASSERT_TRUE(soon([&] { return server.server().stats().websockets == 4; }));
  auto drained = std::async(std::launch::async, [&] { return server.server().drain(seconds(20)); });
  peers.clear();
  EXPECT_LT(drained.get().took, seconds(10));
}

}  // namespace
}  // namespace fairlead

// SPDX-License-Identifier: Apache-2.0
// Peers that read late, or not at all, by so much that somewhere among them a socket is just full: what was gathered in
// a turn and then not taken still reaches them, or counts as taken by nobody.
#include "net/raw_peer_testing.h"
#include "net/testing.h"

#include <fairlead/server.h>

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace fairlead {
namespace {

using net::testing::narrow_bytes;
using net::testing::NarrowServer;
using net::testing::RawPeer;
using net::testing::soon;
using std::chrono::milliseconds;

constexpr std::size_t piece_bytes = 20'000;  // gathered, not written at once
constexpr int most_pieces = 24;              // a UNIX socket takes some ten of them

// A server on a UNIX socket, and as many peers as there are numbers of pieces.
struct Crowd {
  Crowd(const std::function<void(Server&)>& routes, ServerOptions options) {
    options.threads = 1;
    server = std::make_unique<Server>(std::move(options));
    routes(*server);
    EXPECT_TRUE(server->dangerously_listen_without_tls("unix:" + path));
    EXPECT_TRUE(server->start());
    for (int i = 0; i < most_pieces; ++i) peers.push_back(std::make_unique<RawPeer>(path));
  }
  std::string path = net::testing::certificate_directory() + "/slow";
  std::unique_ptr<Server> server;
  std::vector<std::unique_ptr<RawPeer>> peers;
};

TEST(SlowReader, GetsTheWholeOfALastAnswer) {
  const auto answer = [](const Request&) { return Response::text(200, std::string(piece_bytes, 'x')); };
  const Crowd crowd([&](Server& s) { s.http("/", answer); }, {});
  const auto& peers = crowd.peers;
  for (int pieces = 1; pieces <= most_pieces; ++pieces) {
    std::string requests;
    for (int i = 1; i < pieces; ++i) requests += "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    requests += "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    ASSERT_TRUE(peers.at(static_cast<std::size_t>(pieces - 1))->send(requests));
  }
  std::this_thread::sleep_for(milliseconds(1'500));  // longer than a goodbye may take
  for (int pieces = 1; pieces <= most_pieces; ++pieces) {
    RawPeer& peer = *peers.at(static_cast<std::size_t>(pieces - 1));
    const std::string& all = peer.read_to_end();
    EXPECT_TRUE(peer.ended());
    EXPECT_GT(all.size(), static_cast<std::size_t>(pieces) * piece_bytes) << pieces << " answers";
  }
}

TEST(SlowReader, IsCutOffWhateverItWasThatDidNotLeave) {
  ServerOptions options;
  options.limits.write_stall_time = milliseconds(300);
  options.limits.idle_time = milliseconds::max();
  std::atomic<int> opened = 0;
  Handlers handlers;
  handlers.open = [&](Connection& ws) {  // one message in a turn
    const int pieces = ++opened;
    spawn([handle = ws.handle(), pieces]() -> Task<> {
      for (int i = 0; i < pieces; ++i) {
        handle.send(std::string(piece_bytes, 'x'));
        static_cast<void>(co_await sleep_for(milliseconds(2)));
      }
    });
  };
  const Crowd crowd([&](Server& s) { s.websocket("/", handlers); }, options);
  for (const auto& peer : crowd.peers) {
    ASSERT_TRUE(
        peer->send("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"));
  }
  ASSERT_TRUE(soon([&] { return opened == most_pieces; }));
  std::this_thread::sleep_for(milliseconds(1'000));
  std::atomic<std::size_t> open = 0;
  std::atomic<std::size_t> waiting = 0;
  std::atomic<bool> asked = false;
  crowd.server->for_each("/", [&](Connection& ws) {
    ++open;
    waiting += ws.queued_bytes();
    asked = true;
  });
  EXPECT_TRUE(soon([&] { return asked.load(); }));
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(waiting, 0U) << "for peers that take nothing";
  EXPECT_GT(open, 0U) << "those whose socket took everything";
  EXPECT_LT(open, static_cast<std::size_t>(most_pieces)) << "the last ones are too much for any socket";
}

constexpr std::string_view opening =
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";

// Masked with a key of zeros.
std::string message_of(std::size_t bytes) {
  std::string frame{'\x82', '\xfe', static_cast<char>(bytes >> 8U), static_cast<char>(bytes & 0xFFU), 0, 0, 0, 0};
  return frame.append(bytes, 'x');
}

void read_past(RawPeer& peer, std::size_t bytes) {
  while (peer.read_until("\r\n\r\n").size() <= bytes && peer.read_some()) continue;
  EXPECT_GT(peer.read_until("\r\n\r\n").size(), bytes);
}

TEST(SlowReader, IsCutAfterTheStallTimeAlsoWhenItIsNotReadFromAndHasTakenSomethingOnce) {
  Handlers handlers;
  handlers.message = [](Connection& ws, MessageView message) { ws.send(message); };
  NarrowServer server([&](Server& s) { s.websocket("/", handlers); },
                      {.limits = {.messages_per_second = unlimited,
                                  .outgoing_queue_bytes = 64 * 1024,
                                  .idle_time = milliseconds::max(),
                                  .write_stall_time = milliseconds(400)}});
  RawPeer peer(server.port(), narrow_bytes);
  ASSERT_TRUE(peer.send(opening));
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(peer.send(message_of(1'000)));  // more than half of the queue
  std::this_thread::sleep_for(milliseconds(200));
  for (int i = 0; i < 8; ++i) peer.read_at_most(1'000);
  std::this_thread::sleep_for(milliseconds(250));
  EXPECT_EQ(server.server().stats().websockets, 1U) << "it has taken something meanwhile";
  EXPECT_TRUE(soon([&] { return server.server().stats().websockets == 0; }));
  EXPECT_EQ(server.server().stats().failed(Errc::timed_out), 1U);
}

TEST(SlowReader, InCleartextIsKeptNoMoreOfASharedMessageThanOneWriteOffers) {
  const auto large = SharedMessage::binary(as_bytes(std::string(1024 * 1024, 'x')));
  std::atomic<bool> opened = false;
  Handlers handlers;
  handlers.open = [&](Connection& ws) {
    ws.send(large);
    opened = true;
  };
  NarrowServer server([&](Server& s) { s.websocket("/", handlers); });
  RawPeer peer(server.port(), narrow_bytes);
  ASSERT_TRUE(peer.send(opening));
  ASSERT_TRUE(soon([&] { return opened.load(); }));
  std::this_thread::sleep_for(milliseconds(50));
  const std::size_t kept = server.server().stats().buffer_bytes;
  EXPECT_GT(kept, 100U * 1024);
  EXPECT_LE(kept, 300U * 1024);
  read_past(peer, large.payload().size());
}

// Two who are sent something in one turn: a server that may gather does so from then on.
struct Pair {
  explicit Pair(NarrowServer& narrow) : server(narrow) {
    for (const auto& peer : peers) EXPECT_TRUE(peer->send(opening));
    EXPECT_TRUE(soon([this] { return server.server().stats().websockets == peers.size(); }));
    send("warm");
  }
  void send(const std::string& text) {
    std::atomic<std::size_t> sent = 0;
    server.server().for_each("/", [&](Connection& ws) {
      ws.send(text);
      ++sent;
    });
    EXPECT_TRUE(soon([&] { return sent == peers.size(); }));
    std::this_thread::sleep_for(milliseconds(50));
  }
  NarrowServer& server;
  std::vector<std::unique_ptr<RawPeer>> peers = two(server.port());

  static std::vector<std::unique_ptr<RawPeer>> two(std::uint16_t port) {
    std::vector<std::unique_ptr<RawPeer>> both;
    both.reserve(2);
    for (int i = 0; i < 2; ++i) both.push_back(std::make_unique<RawPeer>(port, narrow_bytes));
    return both;
  }
};

constexpr std::size_t most_of_the_limit = 30'000;  // which is gathered

TEST(SlowReader, IsToldToHaveRoomOnceItHasTakenWhatWasGathered) {
  std::atomic<int> drained = 0;
  Handlers handlers;
  handlers.drain = [&](Connection& ws) {
    EXPECT_LE(ws.queued_bytes(), 16U * 1024);
    ++drained;
  };
  NarrowServer server([&](Server& s) { s.websocket("/", handlers); }, {.limits = {.outgoing_queue_bytes = 32 * 1024}});
  Pair pair(server);
  pair.send(std::string(most_of_the_limit, 'x'));
  EXPECT_EQ(drained, 0);
  for (const auto& peer : pair.peers) read_past(*peer, most_of_the_limit);
  EXPECT_TRUE(soon([&] { return drained == 2; }));
}

TEST(SlowReader, OfAStreamedAnswerIsToldToHaveRoomOnceItHasTakenWhatWasGathered) {
  std::atomic<int> drained = 0;
  std::atomic<bool> begun = false;
  ResponseStream kept;
  const auto answer = [&](const Request&) {
    return Response::stream(200, {}, [&](ResponseStream out) {
      out.on_drain([&] {
        EXPECT_LE(kept.queued_bytes(), 16U * 1024);
        ++drained;
      });
      out.send(std::string(most_of_the_limit, 'x'));
      kept = std::move(out);
      begun = true;
    });
  };
  NarrowServer server(
      [&](Server& s) {
        s.websocket("/", Handlers{});
        s.http("/stream", answer);
      },
      {.limits = {.outgoing_queue_bytes = 32 * 1024}});
  const Pair pair(server);
  RawPeer peer(server.port(), narrow_bytes);
  ASSERT_TRUE(peer.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"));
  ASSERT_TRUE(soon([&] { return begun.load(); }));
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(drained, 0);
  read_past(peer, most_of_the_limit);
  EXPECT_TRUE(soon([&] { return drained == 1; }));
  std::atomic<bool> let_go = false;
  ASSERT_TRUE(server.server().loops().front().post([&] {
    kept = {};
    let_go = true;
  }));
  ASSERT_TRUE(soon([&] { return let_go.load(); }));
}

// Its close frame and the reset are seen together, while something waits to be written.
TEST(SlowReader, ThatClosesAndResetsHasClosed) {
  std::atomic<int> opened = 0;
  std::atomic<int> code = 0;
  Handlers handlers;
  handlers.open = [&](Connection& ws) {
    ws.send(std::string(100'000, 'x'));
    ++opened;
  };
  handlers.close = [&](Connection&, const CloseInfo& info) { code = info.code; };
  Handlers busy;
  std::atomic<bool> holds = false;
  busy.open = [&](Connection&) {
    holds = true;
    std::this_thread::sleep_for(milliseconds(100));
  };
  NarrowServer server([&](Server& s) {
    s.websocket("/", handlers);
    s.websocket("/busy", busy);
  });
  auto peer = std::make_unique<RawPeer>(server.port(), narrow_bytes);
  ASSERT_TRUE(peer->send(opening));
  ASSERT_TRUE(soon([&] { return opened == 1; }));
  std::this_thread::sleep_for(milliseconds(50));
  const RawPeer other(server.port());
  ASSERT_TRUE(other.send(std::string(opening).insert(std::string_view("GET /").size(), "busy")));
  ASSERT_TRUE(soon([&] { return holds.load(); }));
  ASSERT_TRUE(peer->send({"\x88\x82\0\0\0\0\x0f\xa1", 8}));
  peer->reset_at_the_end();
  peer.reset();
  EXPECT_TRUE(soon([&] { return code != 0; }));
  EXPECT_EQ(code, 4001);
}

// It was not read from any more, for what it had not taken.
TEST(SlowReader, ThatIsHeldBackClosesAndResetsHasClosed) {
  constexpr int answers = 60;  // twice what the queue holds: after the reset they are not taken
  std::atomic<int> asked = 0;
  std::atomic<int> code = 0;
  Handlers handlers;
  handlers.message = [&](Connection& ws, MessageView message) {
    ws.send(message);
    ++asked;
  };
  handlers.close = [&](Connection&, const CloseInfo& info) { code = info.code; };
  NarrowServer server([&](Server& s) { s.websocket("/", handlers); },
                      {.limits = {.messages_per_second = unlimited, .outgoing_queue_bytes = 32 * 1024}});
  auto peer = std::make_unique<RawPeer>(server.port(), narrow_bytes);
  ASSERT_TRUE(peer->send(opening));
  for (int i = 0; i < answers; ++i) ASSERT_TRUE(peer->send(message_of(1'000)));
  ASSERT_TRUE(soon([&] { return asked > 16; }));
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_LT(asked, answers);
  ASSERT_TRUE(peer->send({"\x88\x82\0\0\0\0\x0f\xa1", 8}));
  ASSERT_TRUE(soon([&] { return peer->on_its_way_bytes() == 0; }));
  peer->reset_at_the_end();
  peer.reset();
  EXPECT_TRUE(soon([&] { return code != 0; }));
  EXPECT_EQ(code, 4001);
  EXPECT_EQ(asked, answers);
}

}  // namespace
}  // namespace fairlead

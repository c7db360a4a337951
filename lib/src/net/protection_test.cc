// SPDX-License-Identifier: Apache-2.0
// Limits and protections of a running server and client.
#include "io/acceptor.h"
#include "net/raw_peer_testing.h"
#include "net/server_core.h"
#include "net/testing.h"
#include "tls/context.h"
#include "tls/engine.h"
#include "tls/scratch.h"
#include "tls/ticket_keys.h"

#include <fairlead/asio.h>
#include <fairlead/certificate.h>
#include <fairlead/client.h>
#include <fairlead/server.h>

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace fairlead {
namespace {

using net::testing::client_options;
using net::testing::narrow_bytes;
using net::testing::NarrowServer;
using net::testing::PlainServer;
using net::testing::RawPeer;
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

TEST(Limits, AMessageOverTheLimitIs1009AtAndBelowItPasses) {
  TestServer server([](Server& s) { s.websocket("/", swallow); },
                    {.limits = {.message_bytes = 1'000, .frame_bytes = 1'000}});
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/"), client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    co_await ws->send(std::string(1'000, 'x'));
    auto still_open = co_await ws->receive(milliseconds(100));
    EXPECT_EQ(still_open.error().code, Errc::timed_out);
    co_await ws->send(std::string(1'001, 'x'));
    const CloseInfo end = co_await ws->closed();
    EXPECT_EQ(end.code, close_code::message_too_big);
  });
}

std::string client_hello() {
  const auto context = tls::ClientContext::build(client_options().tls);
  if (!context) throw std::runtime_error(to_string(context.error()));
  tls::Scratch scratch;
  const auto engine = tls::make_engine(*context, scratch, "127.0.0.1");
  while (engine->next_event()) continue;
  return std::string(as_text(engine->output()));
}

// How long a hello takes to be answered when nobody else is there, on this machine and in this build.
milliseconds time_of_one_answer(const std::string& hello) {
  TestServer server([](Server& s) { s.websocket("/", swallow); });
  const auto began = std::chrono::steady_clock::now();
  RawPeer peer(server.port());
  peer.send(hello);
  EXPECT_TRUE(peer.read_some());
  return std::chrono::ceil<milliseconds>(std::chrono::steady_clock::now() - began);
}

// A crowd whose handshakes take longer together than one may take.
TEST(Limits, AHandshakeThatWaitsForThoseOfOthersIsNotTakenForASlowOne) {
  constexpr int crowd = 400;
  const std::string hello = client_hello();
  const auto limit = std::max<milliseconds>(milliseconds(20), crowd / 10 * time_of_one_answer(hello));
  TestServer server([](Server& s) { s.websocket("/", swallow); }, {.limits = {.tls_handshake_time = limit}});
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (int i = 0; i < crowd; ++i) {
    peers.push_back(std::make_unique<RawPeer>(server.port()));
    peers.back()->send(hello);
  }
  const auto answered = std::ranges::count_if(peers, [](const auto& peer) { return peer->read_some(); });
  EXPECT_GE(answered, crowd * 8 / 10) << "on a busy machine one may really be slow to say hello";
}

TEST(Limits, OneAddressGetsNoMoreThanItsShareOfConnections) {
  TestServer server([](Server& s) { s.websocket("/", swallow); }, {.limits = {.connections_per_address = 2}});
  run([&]() -> Task<> {
    auto first = co_await connect(server.url("/"), client_options());
    auto second = co_await connect(server.url("/"), client_options());
    auto third = co_await connect(server.url("/"), client_options());
    EXPECT_TRUE(first);
    EXPECT_TRUE(second);
    EXPECT_FALSE(third);
    EXPECT_TRUE(first && first->close());
    if (first) co_await first->closed();
    // The server gives the place back once the stream has ended.
    bool back = false;
    for (int i = 0; i < 200 && !back; ++i) {
      auto again = co_await connect(server.url("/"), client_options());
      back = again.has_value();
      if (!back) static_cast<void>(co_await sleep_for(milliseconds(10)));
    }
    EXPECT_TRUE(back);
  });
  EXPECT_GE(server.server().stats().failed(Errc::too_many_connections_per_address), 1U);
}

TEST(Limits, ASlowReaderIsBoundedAndClosed) {
  constexpr std::size_t queue = 256 * 1024;
  std::atomic<bool> over = false;
  std::atomic<std::size_t> most = 0;
  TestServer server(
      [&](Server& s) {
        Handlers handlers;
        handlers.message = [&](Connection& ws, MessageView) {
          const std::string large(64 * 1024, 'x');
          for (int i = 0; i < 4'000 && !over; ++i) {
            const SendResult sent = ws.send(std::string_view(large));
            most = std::max<std::size_t>(most, ws.queued_bytes());
            if (sent == SendResult::over_limit || sent == SendResult::closed) over = true;
          }
        };
        s.websocket("/", handlers);
      },
      {.limits = {.outgoing_queue_bytes = queue, .close_time = milliseconds(200)}});
  run([&]() -> Task<> {
    auto options = client_options();
    auto ws = co_await connect(server.url("/"), options);
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    co_await ws->send("flood me");
    // Nobody receives: the inbox fills, the socket fills, the server's queue fills.
    for (int i = 0; i < 500 && !over; ++i) static_cast<void>(co_await sleep_for(milliseconds(10)));
  });
  EXPECT_TRUE(over);
  EXPECT_TRUE(soon([&] { return server.server().stats().websockets == 0; }));
  EXPECT_GE(server.server().stats().failed(Errc::outgoing_queue_full), 1U);
  EXPECT_LT(most, queue + 1024 * 1024) << "the queue, what one write sealed, and one message";
}

// Each keeps both contexts, some 300 KiB, and nothing else.
TEST(Limits, CompressorsCountAgainstTheMemoryBudget) {
  RouteOptions compressing;
  compressing.compression.enabled = true;
  TestServer server([&](Server& s) {
    s.websocket("/", {.message = [](Connection& ws, MessageView message) { ws.send(message); }}, compressing);
  });
  run([&]() -> Task<> {
    auto options = client_options();
    options.compression.enabled = true;
    const std::string text(1'000, 'x');
    auto ws = co_await connect(server.url("/"), options);
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    co_await ws->send(text);
    const auto answer = co_await ws->receive();
    EXPECT_TRUE(answer && answer->compressed);
    EXPECT_TRUE(soon([&] { return server.server().stats().buffer_bytes > 200U * 1024; }));
  });
}

// The queue alone would allow each of these peers 64 MiB.
TEST(Limits, PastTheMemoryBudgetTheLargestOffendersAreClosedAndOthersServed) {
  constexpr std::size_t budget = std::size_t{4} * 1024 * 1024;
  constexpr std::size_t allowed_overshoot = std::size_t{4} * 1024 * 1024;  // a turn's sends, and what is sealed already
  std::atomic<std::size_t> most = 0;
  std::atomic<int> told_to_try_later = 0;  // the others, if any, leave by themselves when this ends
  TestServer server(
      [&](Server& s) {
        Handlers greedy;
        greedy.message = [&](Connection& ws, MessageView) {
          for (int i = 0; i < 4; ++i) ws.send(std::string_view(std::string(64 * 1024, 'x')));
        };
        greedy.close = [&](Connection&, const CloseInfo& info) {
          if (info.sent_code == close_code::try_again_later) ++told_to_try_later;
        };
        s.websocket("/greedy", greedy);
        s.websocket("/modest", [](Connection& ws) -> Task<> {
          while (auto message = co_await ws.receive()) co_await ws.send(*message);
        });
      },
      {.limits = {.outgoing_queue_bytes = std::size_t{64} * 1024 * 1024,
                  .close_time = milliseconds(100),
                  .memory_budget_bytes = budget}});
  run([&]() -> Task<> {
    auto modest = co_await connect(server.url("/modest"), client_options());
    EXPECT_TRUE(modest);
    if (!modest) co_return;
    std::vector<Connection> silent;  // ask for much and never read
    for (int i = 0; i < 4; ++i) {
      auto ws = co_await connect(server.url("/greedy"), client_options());
      if (ws) silent.push_back(std::move(*ws));
    }
    // All in one piece: what the server would answer within one turn is 50 MiB a peer.
    for (Connection& ws : silent) {
      for (int i = 0; i < 200; ++i) ws.send("more");
    }
    for (int i = 0; i < 500 && told_to_try_later < 2; ++i) {
      for (Connection& ws : silent) ws.send("more");
      static_cast<void>(co_await sleep_for(milliseconds(5)));
      most = std::max(most.load(), server.server().stats().buffer_bytes);
    }
    EXPECT_GE(told_to_try_later, 2);
    co_await modest->send("still served");
    auto answer = co_await modest->receive(seconds(10));
    EXPECT_TRUE(answer) << "who holds nothing is not closed";
  });
  EXPECT_LT(most, budget + allowed_overshoot);
  EXPECT_GE(server.server().stats().failed(Errc::memory_budget_exceeded), 2U);
}

constexpr std::string_view opening =
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";

// The first loop holds too much for a slow reader. On the second one three messages begin: to give back as much, some
// three of those go who hold a few hundred bytes in a block of memory each, and not all of them.
TEST(Limits, PastTheMemoryBudgetALoopClosesNoMoreThanWhatGrewOnIt) {
  constexpr std::size_t budget = std::size_t{4} * 1024 * 1024;
  constexpr std::size_t peers = 100;
  constexpr std::size_t beginners = 3;
  constexpr std::size_t most_that_go = 5;
  ResponseStream held;
  std::atomic<bool> holds = false;
  NarrowServer server(
      [&](Server& s) {
        s.websocket("/", Handlers{});
        s.http("/hold", [&](const Request&) {
          return Response::stream(200, {}, [&](ResponseStream out) {
            for (int i = 0; i < 8; ++i) out.send(std::string(1'000'000, 'x'));
            held = std::move(out);
            holds = true;
          });
        });
      },
      {.limits = {.outgoing_queue_bytes = std::size_t{16} * 1024 * 1024, .memory_budget_bytes = budget}, .threads = 2});
  const auto stats = [&] { return server.server().stats(); };
  std::vector<std::unique_ptr<RawPeer>> all;  // those with an odd number are the second loop's
  for (std::size_t i = 0; i < peers; ++i) {
    all.push_back(std::make_unique<RawPeer>(server.port(), narrow_bytes));
    ASSERT_TRUE(all.back()->send(opening));
    all.back()->read_until("\r\n\r\n");
  }
  const std::string begun = std::string("\x82\xfe\xff\xff\0\0\0\0", 8) + std::string(300, 'x');
  for (std::size_t i = 1; i < 81; i += 2) ASSERT_TRUE(all[i]->send(begun));
  ASSERT_TRUE(soon([&] { return stats().buffer_bytes > 1'000'000; }));
  RawPeer slow(server.port(), narrow_bytes);
  ASSERT_TRUE(slow.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"));
  ASSERT_TRUE(soon([&] { return holds && stats().buffer_bytes > budget; }));
  EXPECT_EQ(stats().websockets, peers) << "nothing has grown on the second loop";
  for (std::size_t i = 81; i < 81 + 2 * beginners; i += 2) ASSERT_TRUE(all[i]->send(begun));
  ASSERT_TRUE(soon([&] { return stats().websockets < peers; }));
  std::atomic<bool> turn_is_over = false;
  ASSERT_TRUE(server.server().loops().back().post([&] { turn_is_over = true; }));
  ASSERT_TRUE(soon([&] { return turn_is_over.load(); }));
  EXPECT_GE(stats().websockets, peers - most_that_go);
  std::atomic<bool> let_go = false;
  ASSERT_TRUE(server.server().loops().front().post([&] {
    held = {};
    let_go = true;
  }));
  EXPECT_TRUE(soon([&] { return let_go.load(); }));
}

TEST(Limits, AnIdlePeerIsPingedAndAnswersAreEnough) {
  TestServer server([](Server& s) { s.websocket("/", swallow); }, {.limits = {.idle_time = milliseconds(200)}});
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/"), client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    auto nothing = co_await ws->receive(milliseconds(700));
    EXPECT_EQ(nothing.error().code, Errc::timed_out) << "our pongs keep it open";
    EXPECT_TRUE(ws->open());
  });
}

TEST(Limits, ATimeThatIsLiftedIsNeverOver) {  // and does not overflow the clock it is added to
  constexpr auto never = milliseconds::max();
  const Limits lifted{.tls_handshake_time = never,
                      .http_head_time = never,
                      .http_idle_time = never,
                      .accept_time = never,
                      .idle_time = never,
                      .close_time = never,
                      .write_stall_time = never};
  TestServer server(
      [](Server& s) {
        RouteOptions options;
        options.accept_async = [](const Request&) -> Task<Decision> {
          static_cast<void>(co_await sleep_for(milliseconds(20)));
          co_return Decision::accept();
        };
        s.websocket(
            "/",
            [](Connection& ws) -> Task<> {
              const std::string large(500'000, 'x');
              for (int i = 0; i < 40; ++i) co_await ws.send(large);  // the client does not read: it has to wait
            },
            options);
      },
      {.limits = lifted});
  run([&]() -> Task<> {
    auto options = client_options();
    options.limits = lifted;
    options.times = {
        .dns = never, .tcp = never, .next_address = never, .tls = never, .handshake = never, .total = never};
    auto ws = co_await connect(server.url("/"), options);
    EXPECT_TRUE(ws) << to_string(ws.error());
    if (!ws) co_return;
    static_cast<void>(co_await sleep_for(milliseconds(300)));
    int received = 0;
    while (true) {
      const auto message = co_await ws->receive();
      if (!message) break;
      ++received;
    }
    EXPECT_EQ(received, 40);
    EXPECT_EQ(ws->close_info().code, close_code::normal);
  });
}

TEST(Limits, WithoutAnIdleTimeAPeerThatIsHeldBackCostsNothing) {
  PlainServer server(
      [](Server& s) {
        Handlers handlers;
        handlers.message = [](Connection& ws, MessageView) { ws.send(std::string_view(std::string(900'000, 'x'))); };
        s.websocket("/", handlers);
      },
      {.limits = {.idle_time = milliseconds(0), .write_stall_time = milliseconds(5000)}});
  RawPeer peer(server.port(), 65'536);
  std::string all =
      "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  for (int i = 0; i < 60; ++i) all.append("\x81\x81\0\0\0\0x", 7);
  ASSERT_TRUE(peer.send(all));
  const std::clock_t before = std::clock();
  for (int i = 0; i < 600; ++i) {  // slowly, but it reads: it has not stalled
    ASSERT_TRUE(peer.read_some());
    peer.forget();
    std::this_thread::sleep_for(milliseconds(2));
  }
  const double busy = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  EXPECT_LT(busy, 0.6) << "of more than 1.2 seconds";
  EXPECT_EQ(server.server().stats().websockets, 1U);
}

TEST(ClientProtection, AnUnknownAuthorityIsRefusedUnlessLoudlyAllowed) {
  TestServer server([](Server& s) { s.websocket("/", swallow); });
  run([&]() -> Task<> {
    auto untrusted = co_await connect(server.url("/"));
    EXPECT_FALSE(untrusted);
    if (!untrusted) {
      EXPECT_EQ(untrusted.error().code, Errc::tls_certificate_rejected);
    }
    ClientOptions options;
    options.tls.dangerously_disable_certificate_verification = true;
    auto loudly = co_await connect(server.url("/"), options);
    EXPECT_TRUE(loudly);
    auto clear = co_await connect("ws://127.0.0.1:" + std::to_string(server.port()) + "/");
    EXPECT_FALSE(clear);
    if (!clear) {
      EXPECT_EQ(clear.error().code, Errc::bad_url);
    }
  });
}

// Accepts TCP connections and says nothing.
class SilentListener {
 public:
  SilentListener() : descriptor_(*io::Acceptor::listen(*io::Endpoint::ip("127.0.0.1", 0))) {}
  SilentListener(const SilentListener&) = delete;
  SilentListener& operator=(const SilentListener&) = delete;
  ~SilentListener() { ::close(descriptor_); }
  [[nodiscard]] std::string url(const std::string& scheme) const {
    return scheme + "://127.0.0.1:" + std::to_string(io::Acceptor::local_endpoint(descriptor_).port()) + "/";
  }

 private:
  int descriptor_;
};

TEST(ClientProtection, EveryStepHasADeadline) {
  const SilentListener silent;
  const auto outcome = [&](const std::string& scheme, ConnectTimes times) {
    Errc code = Errc::system;
    ClientOptions options;
    options.times = times;
    options.dangerously_allow_cleartext = true;
    run([&]() -> Task<> {
      auto ws = co_await connect(silent.url(scheme), options);
      EXPECT_FALSE(ws);
      if (!ws) code = ws.error().code;
    });
    return code;
  };
  EXPECT_EQ(outcome("wss", {.tls = milliseconds(50)}), Errc::tls_timeout);
  EXPECT_EQ(outcome("ws", {.handshake = milliseconds(50)}), Errc::http_timeout);
  EXPECT_EQ(outcome("wss", {.total = milliseconds(50)}), Errc::timed_out);
}

TEST(ClientProtection, AStopThatWasRequestedBeforehandCancels) {
  const SilentListener silent;
  run([&]() -> Task<> {
    std::stop_source stop;
    stop.request_stop();
    auto cancelled = co_await connect(silent.url("wss"), client_options(), stop.get_token());
    EXPECT_FALSE(cancelled);
    if (!cancelled) {
      EXPECT_EQ(cancelled.error().code, Errc::cancelled);
    }
  });
}

TEST(ClientProtection, AnAttemptIsCalledOffFromAnotherThread) {
  const SilentListener silent;
  std::stop_source stop;
  std::thread other([&] {
    std::this_thread::sleep_for(milliseconds(30));
    stop.request_stop();
  });
  run([&]() -> Task<> {
    auto cancelled = co_await connect(silent.url("wss"), client_options(), stop.get_token());
    EXPECT_FALSE(cancelled);
    if (!cancelled) {
      EXPECT_EQ(cancelled.error().code, Errc::cancelled);
    }
  });
  other.join();
}

TEST(Resumption, ASecondConnectionResumes) {
  TestServer server([](Server& s) { s.websocket("/", swallow); });
  run([&]() -> Task<> {
    for (const bool resumed : {false, true, true}) {
      auto ws = co_await connect(server.url("/"), client_options());
      EXPECT_TRUE(ws);
      if (!ws) co_return;
      EXPECT_EQ(ws->tls().resumed, resumed);
      EXPECT_TRUE(ws->close());
      co_await ws->closed();
      static_cast<void>(co_await sleep_for(milliseconds(20)));
    }
  });
}

TEST(Resumption, TicketKeysAreReplacedAlsoWhereNoFileIsWatched) {
  const auto made = ensure_development_certificate(net::testing::certificate_directory());
  ASSERT_TRUE(made);
  ServerOptions options{.tls = Tls::files(made->chain_file, made->key_file)};
  options.tls.watch_interval = seconds(0);
  options.tls.ticket_key_life = seconds(1);
  TestServer server([](Server& s) { s.websocket("/", swallow); }, options);
  const auto name = [&] { return net::ServerCore::of(server.server()).tls_context()->tickets()->current().name; };
  const auto first = name();
  EXPECT_TRUE(soon([&] { return name() != first; }));
}

TEST(Reload, ABrokenPairKeepsTheOldOneAndOpenConnectionsStay) {
  const std::string directory = net::testing::certificate_directory() + "/reload";
  const auto made = ensure_development_certificate(directory);
  ASSERT_TRUE(made);
  TestServer server([](Server& s) { s.websocket("/", swallow); },
                    {.tls = Tls::files(made->chain_file, made->key_file)});
  ClientOptions options;
  options.tls.ca = PemSource::from_file(made->ca_file);
  options.tls.resume = false;
  run([&]() -> Task<> {
    auto before = co_await connect(server.url("/"), options);
    EXPECT_TRUE(before);
    if (!before) co_return;
    const std::string serial = before->tls().peer_certificate->serial;
    std::filesystem::copy_file(made->ca_file, made->chain_file, std::filesystem::copy_options::overwrite_existing);
    EXPECT_FALSE(server.server().reload_certificates()) << "the key does not match";
    auto during = co_await connect(server.url("/"), options);
    EXPECT_TRUE(during);
    if (during) {
      EXPECT_EQ(during->tls().peer_certificate->serial, serial);
    }
    std::filesystem::remove(made->chain_file);
    EXPECT_TRUE(ensure_development_certificate(directory));
    EXPECT_TRUE(server.server().reload_certificates());
    auto after = co_await connect(server.url("/"), options);
    EXPECT_TRUE(after);
    if (after) {
      EXPECT_NE(after->tls().peer_certificate->serial, serial);
    }
    EXPECT_TRUE(before->open());
  });
  EXPECT_EQ(server.server().stats().certificate_reloads, 1U);
  EXPECT_EQ(server.server().stats().certificate_reload_failures, 1U);
}

TEST(OwnContext, AServerAndAClientOnTheCallersIoContext) {
  boost::asio::io_context context(1);
  std::string answer;
  {
    Server server({.tls = Tls::development(net::testing::certificate_directory())});
    server.websocket("/", [](Connection& ws) -> Task<> {
      while (auto message = co_await ws.receive()) co_await ws.send(*message);
    });
    const auto listening = server.listen("127.0.0.1:0");
    ASSERT_TRUE(listening);
    ASSERT_TRUE(start_on(context, server));
    spawn_on(context, [&]() -> Task<> {
      auto ws = co_await connect(listening->url(), client_options());
      EXPECT_TRUE(ws);
      if (ws) {
        co_await ws->send("on your context");
        if (auto message = co_await ws->receive()) answer = message->payload;
        EXPECT_TRUE(ws->close());
        co_await ws->closed();
      }
      server.stop();
    });
    context.run_for(seconds(20));
  }
  EXPECT_EQ(answer, "on your context");
}

}  // namespace
}  // namespace fairlead

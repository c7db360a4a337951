// SPDX-License-Identifier: Apache-2.0
// How connections end: codes, reasons and who was first, over a real stream.
#include "net/testing.h"

#include <fairlead/blocking.h>
#include <fairlead/client.h>
#include <fairlead/server.h>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace fairlead {
namespace {

using net::testing::client_options;
using net::testing::TestServer;
using std::chrono::milliseconds;
using std::chrono::seconds;

// The end of a client's connection to `path`, which it only waits for.
CloseInfo watch_end(TestServer& server, std::string path) {
  CloseInfo info;
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url(path), client_options());
    EXPECT_TRUE(ws) << to_string(ws.error());
    if (!ws) co_return;
    while (true) {
      const auto message = co_await ws->receive(seconds(20));
      if (!message) break;
    }
    info = co_await ws->closed();
  });
  return info;
}

TEST(Closing, AHandlerThatReturnsClosesNormally) {
  TestServer server([](Server& s) { s.websocket("/", [](Connection&) -> Task<> { co_return; }); });
  const CloseInfo info = watch_end(server, "/");
  EXPECT_EQ(info.code, close_code::normal);
  EXPECT_TRUE(info.clean);
}

TEST(Closing, AHandlerThatThrowsClosesWithInternalErrorAndTheServerLives) {
  TestServer server([](Server& s) {
    s.websocket("/coroutine", [](Connection&) -> Task<> {
      throw std::runtime_error("broken");
      co_return;
    });
    Handlers handlers;
    handlers.open = [](Connection&) { throw std::runtime_error("broken too"); };
    s.websocket("/handlers", handlers);
  });
  EXPECT_EQ(watch_end(server, "/coroutine").code, close_code::internal_error);
  EXPECT_EQ(watch_end(server, "/handlers").code, close_code::internal_error);
}

TEST(Closing, TheCodeArrivesWhileTheOtherSideKeepsSending) {  // no reset overtakes a close frame (RFC 6455 7.1.1)
  TestServer server([](Server& s) {
    Handlers handlers;
    handlers.message = [](Connection& ws, MessageView) { static_cast<void>(ws.close(4321, "enough")); };
    s.websocket("/", handlers);
  });
  for (int round = 0; round < 20; ++round) {
    run([&]() -> Task<> {
      auto ws = co_await connect(server.url("/"), client_options());
      EXPECT_TRUE(ws);
      if (!ws) co_return;
      const std::string large(50'000, 'x');
      for (int i = 0; i < 100 && ws->open(); ++i) {
        co_await ws->send(large);
        static_cast<void>(co_await sleep_for(Duration::zero()));
      }
      const CloseInfo info = co_await ws->closed();
      EXPECT_EQ(info.code, 4321);
      EXPECT_EQ(info.reason, "enough");
      EXPECT_TRUE(info.peer_first);
    });
  }
}

TEST(Closing, DestroyingAClientsConnectionGoesAway) {
  std::mutex mutex;
  CloseInfo seen;
  std::atomic<bool> closed = false;
  TestServer server([&](Server& s) {
    Handlers handlers;
    handlers.close = [&](Connection&, const CloseInfo& info) {
      const std::scoped_lock lock(mutex);
      seen = info;
      closed = true;
    };
    s.websocket("/", handlers);
  });
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/"), client_options());
    EXPECT_TRUE(ws);
  });
  for (int i = 0; i < 500 && !closed; ++i) std::this_thread::sleep_for(milliseconds(10));
  const std::scoped_lock lock(mutex);
  EXPECT_EQ(seen.code, close_code::going_away);
  EXPECT_TRUE(seen.clean);
  EXPECT_TRUE(seen.peer_first);
}

TEST(Closing, ADrainClosesEverybodyWithinItsWindowAndReports) {
  TestServer server([](Server& s) {
    s.websocket("/", [](Connection& ws) -> Task<> {
      while (true) {
        const auto message = co_await ws.receive();
        if (!message) break;
      }
    });
  });
  std::atomic<int> restarts = 0;
  std::atomic<int> open = 0;
  std::thread clients([&] {
    run([&]() -> Task<> {
      for (int i = 0; i < 20; ++i) {
        spawn([&]() -> Task<> {
          auto ws = co_await connect(server.url("/"), client_options());
          EXPECT_TRUE(ws);
          if (!ws) co_return;
          ++open;
          const CloseInfo info = co_await ws->closed();
          if (info.code == close_code::service_restart && info.clean) ++restarts;
        });
      }
      co_return;
    });
  });
  for (int i = 0; i < 1000 && open < 20; ++i) std::this_thread::sleep_for(milliseconds(10));
  const DrainReport report = server.server().drain(milliseconds(200), close_code::service_restart);
  clients.join();
  EXPECT_EQ(report.connections, 20U);
  EXPECT_EQ(report.closed_clean, 20U);
  EXPECT_EQ(report.cut, 0U);
  EXPECT_EQ(restarts, 20);
  EXPECT_GE(report.took, milliseconds(150)) << "the closes are spread over the window";
}

TEST(Closing, WhoIsStillBeingDecidedOnWhenADrainBeginsIsNotLetIn) {  // nobody would close him but the end
  std::atomic<bool> asked = false;
  TestServer server([&](Server& s) {
    RouteOptions options;
    options.accept_async = [&](const Request&) -> Task<Decision> {
      asked = true;
      static_cast<void>(co_await sleep_for(milliseconds(300)));
      co_return Decision::accept();
    };
    s.websocket("/", [](Connection& ws) -> Task<> { co_await ws.closed(); }, options);
  });
  std::atomic<int> status = -1;
  std::thread client([&] {
    run([&]() -> Task<> {
      auto ws = co_await connect(server.url("/"), client_options());
      status = ws ? 101 : ws.error().status;
    });
  });
  EXPECT_TRUE(net::testing::soon([&] { return asked.load(); }));
  const DrainReport report = server.server().drain(milliseconds(600));
  client.join();
  EXPECT_EQ(status, 503);
  EXPECT_EQ(report.cut, 0U);
}

TEST(Closing, AStoppedServerLeavesNobodyWaiting) {
  auto server = std::make_unique<TestServer>([](Server& s) {
    s.websocket("/", [](Connection& ws) -> Task<> {
      while (true) {
        const auto message = co_await ws.receive();
        if (!message) break;
      }
    });
  });
  CloseInfo info;
  std::thread stopper;
  run([&]() -> Task<> {
    auto ws = co_await connect(server->url("/"), client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    stopper = std::thread([&] { server.reset(); });
    info = co_await ws->closed();
    EXPECT_NE(ws->error(), nullptr);
  });
  stopper.join();
  EXPECT_EQ(info.code, close_code::abnormal);
  EXPECT_FALSE(info.clean);
}

TEST(Closing, AClosedConnectionMayOutliveItsLoop) {
  TestServer server([](Server& s) { s.websocket("/", [](Connection& ws) -> Task<> { co_await ws.closed(); }); });
  Connection kept;
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/"), client_options());
    EXPECT_TRUE(ws) << to_string(ws.error());
    if (!ws) co_return;
    kept = std::move(*ws);
    static_cast<void>(kept.send("a message before the end"));
    static_cast<void>(kept.close());
  });
  EXPECT_FALSE(kept.open());
  EXPECT_TRUE(kept.close_info().clean);
  EXPECT_FALSE(kept.tls().version.empty());
  EXPECT_EQ(kept.queued_bytes(), 0U);
  kept = Connection();
}

// A server's connection that was kept when the server stopped; its loop has gone.
struct Kept {
  Kept() {
    std::atomic<bool> is_kept = false;
    auto server = std::make_unique<TestServer>([&](Server& s) {
      s.websocket("/", [&](Connection& ws) -> Task<> {
        handle = ws.handle();
        connection = std::move(ws);
        is_kept = true;
        co_return;
      });
    });
    std::thread stopper([&] {
      EXPECT_TRUE(net::testing::soon([&] { return is_kept.load(); }));
      server.reset();
    });
    const std::string url = server->url("/");
    run([&]() -> Task<> {
      auto ws = co_await connect(url, client_options());
      EXPECT_TRUE(ws) << to_string(ws.error());
      if (!ws) co_return;
      co_await ws->closed();
    });
    stopper.join();
  }

  Connection connection;
  ConnectionHandle handle;
};

TEST(Closing, AConnectionMayOutliveTheServerThatCutIt) {
  Kept kept;
  EXPECT_FALSE(kept.connection.open());
  EXPECT_EQ(kept.connection.close_info().code, close_code::abnormal);
  EXPECT_EQ(kept.connection.handle(), kept.handle);
  EXPECT_FALSE(kept.handle.open());
  kept.connection.pause_receiving();
  kept.connection.resume_receiving();
  EXPECT_EQ(kept.connection.send("x").result(), SendResult::closed);
  EXPECT_EQ(kept.connection.ping(), SendResult::closed);
  kept.connection = Connection();
}

TEST(Closing, WhoAwaitsSomethingOfAConnectionThatHasOutlivedItsServerIsToldThatItIsClosed) {
  Kept kept;
  Connection& ws = kept.connection;
  run([&]() -> Task<> {
    const CloseInfo info = co_await ws.closed();
    EXPECT_EQ(info.code, close_code::abnormal);
    const auto ended = co_await ws.closed(milliseconds(10));
    EXPECT_TRUE(ended);
    const auto received = co_await ws.receive();
    EXPECT_EQ(received.error().code, Errc::closed);
    const auto received_in_time = co_await ws.receive(milliseconds(10));
    EXPECT_EQ(received_in_time.error().code, Errc::closed);
    const auto sent = co_await ws.send("x", milliseconds(10));
    EXPECT_EQ(sent, SendResult::closed);
    const auto sent_chunk = co_await ws.send_chunk(MessageKind::text, as_bytes("x"), true, milliseconds(10));
    EXPECT_EQ(sent_chunk, SendResult::closed);
  });
}

TEST(Closing, ABlockingClientClosesNormallyWhereItsCodeOrReasonMayNotBeSent) {  // it has to end in any case
  auto server = std::make_unique<TestServer>(
      [](Server& s) { s.websocket("/", [](Connection& ws) -> Task<> { co_await ws.closed(); }); });
  const auto end_with = [&](CloseCode code, std::string reason) {
    auto ws = blocking::Client::connect(server->url("/"), client_options());
    EXPECT_TRUE(ws);
    if (!ws) return CloseInfo();
    auto ended = std::async(std::launch::async, [&] { return ws->close(code, reason); });
    const bool in_time = ended.wait_for(seconds(10)) == std::future_status::ready;
    EXPECT_TRUE(in_time) << "code " << code;
    if (!in_time) server.reset();  // which ends it
    return ended.get();
  };
  for (const CloseInfo& info : {end_with(close_code::normal, std::string(124, 'r')), end_with(4000, "\xFF")}) {
    EXPECT_TRUE(info.clean);
    EXPECT_EQ(info.sent_code, close_code::normal);
    EXPECT_EQ(info.sent_reason, "");
    ASSERT_NE(server, nullptr);
  }
  const CloseInfo reserved = end_with(close_code::abnormal, {});
  EXPECT_EQ(reserved.sent_code, close_code::normal);
  EXPECT_TRUE(reserved.clean);
}

TEST(Waiting, AReceiveCanBeLimitedAndCalledOff) {
  TestServer server([](Server& s) {
    s.websocket("/", [](Connection& ws) -> Task<> {
      while (auto message = co_await ws.receive()) co_await ws.send(*message);
    });
  });
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/"), client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    auto late = co_await ws->receive(milliseconds(20));
    EXPECT_FALSE(late);
    if (!late) {
      EXPECT_EQ(late.error().code, Errc::timed_out);
    }
    std::stop_source stop;
    std::thread other([&] { stop.request_stop(); });
    auto called_off = co_await ws->receive(stop.get_token());
    other.join();
    EXPECT_FALSE(called_off);
    if (!called_off) {
      EXPECT_EQ(called_off.error().code, Errc::cancelled);
    }
    co_await ws->send("still open");
    auto answer = co_await ws->receive();
    EXPECT_TRUE(answer);
    if (answer) {
      EXPECT_EQ(answer->payload, "still open");
    }
  });
}

TEST(Reconnecting, ComesBackAfterARestartUntilTheSessionIsContent) {
  TestServer server([](Server& s) {
    s.websocket("/", [](Connection& ws) -> Task<> {
      static_cast<void>(ws.close(close_code::service_restart));
      co_return;
    });
  });
  int sessions = 0;
  run([&]() -> Task<> {
    const ReconnectOptions options{
        .first_delay = milliseconds(5), .longest_delay = milliseconds(20), .restart_delay = milliseconds(20)};
    auto ended = co_await connect_persistently(
        server.url("/"),
        [&](Connection& ws) -> Task<bool> {
          co_await ws.closed();
          co_return ++sessions < 3;
        },
        client_options(), options);
    EXPECT_TRUE(ended);
  });
  EXPECT_EQ(sessions, 3);
}

TEST(Reconnecting, ComesBackWhereTheSessionItselfClosed) {  // such codes are the end where the server says them
  TestServer server([](Server& s) { s.websocket("/", [](Connection& ws) -> Task<> { co_await ws.closed(); }); });
  int sessions = 0;
  run([&]() -> Task<> {
    const ReconnectOptions options{.first_delay = milliseconds(5)};
    const auto session = [&](Connection& ws) -> Task<bool> {
      constexpr std::array<CloseCode, 3> codes{close_code::normal, close_code::policy_violation, 4001};
      static_cast<void>(ws.close(codes.at(static_cast<std::size_t>(sessions))));
      static_cast<void>(co_await ws.closed());
      co_return ++sessions < 3;
    };
    auto ended = co_await connect_persistently(server.url("/"), session, client_options(), options);
    EXPECT_TRUE(ended);
  });
  EXPECT_EQ(sessions, 3);
}

// How often a server that accepts and closes at once is asked within half a second.
int attempts_within_half_a_second(milliseconds steady_after) {
  TestServer server([](Server& s) {
    s.websocket("/", [](Connection& ws) -> Task<> {
      static_cast<void>(ws.close(close_code::internal_error));
      co_return;
    });
  });
  int sessions = 0;
  run([&]() -> Task<> {
    std::stop_source enough;
    spawn([&]() -> Task<> {
      static_cast<void>(co_await sleep_for(milliseconds(500)));
      enough.request_stop();
    });
    const ReconnectOptions options{
        .first_delay = milliseconds(10), .longest_delay = seconds(30), .steady_after = steady_after};
    const auto session = [&](Connection& ws) -> Task<bool> {
      co_await ws.closed();
      ++sessions;
      co_return true;
    };
    auto ended = co_await connect_persistently(server.url("/"), session, client_options(), options, enough.get_token());
    EXPECT_FALSE(ended);
  });
  return sessions;
}

TEST(Reconnecting, AServerThatClosesAtOnceIsAskedLessAndLessOften) {  // the handshake alone is no success
  const int backing_off = attempts_within_half_a_second(seconds(5));
  EXPECT_GE(backing_off, 2);
  EXPECT_LE(backing_off, 25);
  EXPECT_GT(attempts_within_half_a_second(milliseconds(0)), backing_off);
}

TEST(Reconnecting, ConnectionsThatDoNotLastCountAsAttempts) {
  TestServer server([](Server& s) {
    s.websocket("/", [](Connection& ws) -> Task<> {
      static_cast<void>(ws.close(close_code::internal_error));
      co_return;
    });
  });
  int sessions = 0;
  run([&]() -> Task<> {
    const ReconnectOptions options{.first_delay = milliseconds(1), .attempts = 3};
    const auto session = [&](Connection& ws) -> Task<bool> {
      co_await ws.closed();
      ++sessions;
      co_return true;
    };
    auto ended = co_await connect_persistently(server.url("/"), session, client_options(), options);
    EXPECT_FALSE(ended);
  });
  EXPECT_EQ(sessions, 4) << "the first, and three more";
}

TEST(Reconnecting, GivesUpWhereComingBackCannotHelp) {
  TestServer server([](Server& s) {
    RouteOptions options;
    options.accept = [](const Request&) { return Decision::refuse(403); };
    s.websocket("/", [](Connection&) -> Task<> { co_return; }, options);
  });
  run([&]() -> Task<> {
    auto ended = co_await connect_persistently(
        server.url("/"), [](Connection&) -> Task<bool> { co_return true; }, client_options());
    EXPECT_FALSE(ended);
    if (!ended) {
      EXPECT_EQ(ended.error().status, 403);
    }
  });
}

}  // namespace
}  // namespace fairlead

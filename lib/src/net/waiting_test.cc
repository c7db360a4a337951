// SPDX-License-Identifier: Apache-2.0
// Calls that wait, each with a deadline and a way to call it off: what was given up has left nothing behind.
#include "net/raw_peer_testing.h"
#include "net/testing.h"

#include <fairlead/blocking.h>
#include <fairlead/client.h>
#include <fairlead/server.h>

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace fairlead {
namespace {

using net::testing::client_options;
using net::testing::PlainServer;
using net::testing::RawPeer;
using net::testing::soon;
using net::testing::TestServer;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A server that takes nothing until it is let, and then counts what it gets.
struct Reluctant {
  std::atomic<bool> takes = false;
  std::atomic<int> messages = 0;
  std::atomic<int> given_up = 0;  // of them, those that should not have come
  TestServer server{[this](Server& s) {
    s.websocket("/", [this](Connection& ws) -> Task<> {
      while (!takes) static_cast<void>(co_await sleep_for(milliseconds(1)));
      while (true) {
        const auto message = co_await ws.receive();
        if (!message) co_return;
        ++messages;
        if (message->payload.starts_with("given up")) ++given_up;
      }
    });
  }};
};

// Sends until more than half of the limit waits: the server takes nothing. How many.
int fill(Connection& ws) {
  const std::string large(16 * 1024, 'x');
  int sent = 0;
  for (; ws.queued_bytes() <= 600 * 1024 && sent < 10'000; ++sent) {
    const SendResult result = ws.send(large);
    if (result != SendResult::sent && result != SendResult::queued) break;
  }
  return sent;
}

void with_a_full_queue(const std::function<Task<>(Connection&)>& work, int extra) {
  Reluctant peer;
  int sent = 0;
  run([&]() -> Task<> {
    auto ws = co_await connect(peer.server.url("/"), client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    // What the system takes leaves with each turn: filled again until nothing moves.
    for (int still = 0; still < 5; ++still) {
      const int more = fill(*ws);
      if (more != 0) still = 0;
      sent += more;
      static_cast<void>(co_await sleep_for(milliseconds(10)));
    }
    co_await work(*ws);
    peer.takes = true;
    auto last = co_await ws->send("at last", seconds(20));
    EXPECT_TRUE(last) << "the connection is as it was";
    EXPECT_TRUE(ws->close());
    auto end = co_await ws->closed(seconds(20));
    EXPECT_TRUE(end);
    if (end) {
      EXPECT_TRUE(end->clean);
    }
  });
  EXPECT_EQ(peer.messages, sent + extra + 1);
  EXPECT_EQ(peer.given_up, 0);
}

TEST(LimitedSend, GivenUpInTimeIsNotSent) {
  with_a_full_queue(
      [](Connection& ws) -> Task<> {
        const std::size_t before = ws.queued_bytes();
        auto text = co_await ws.send("given up", milliseconds(20));
        EXPECT_FALSE(text);
        if (!text) {
          EXPECT_EQ(text.error().code, Errc::timed_out);
        }
        auto shared = co_await ws.send(SharedMessage::text("given up"), milliseconds(20));
        EXPECT_FALSE(shared);
        auto piece = co_await ws.send_chunk(MessageKind::text, as_bytes("given up"), false, milliseconds(20));
        EXPECT_FALSE(piece);
        EXPECT_LE(ws.queued_bytes(), before);
        // No streamed message has been opened either: another kind may begin one.
        EXPECT_NE(ws.send_chunk(MessageKind::binary, as_bytes("whole"), true).result(), SendResult::invalid);
      },
      1);
}

TEST(LimitedSend, CalledOffFromAnotherThreadIsNotSent) {
  with_a_full_queue(
      [](Connection& ws) -> Task<> {
        std::stop_source stop;
        std::thread other([&] {
          std::this_thread::sleep_for(milliseconds(20));
          stop.request_stop();
        });
        auto called_off = co_await ws.send("given up", stop.get_token());
        other.join();
        EXPECT_FALSE(called_off);
        if (!called_off) {
          EXPECT_EQ(called_off.error().code, Errc::cancelled);
        }
        auto too_late = co_await ws.send("given up", stop.get_token());
        EXPECT_FALSE(too_late) << "it was called off beforehand";
      },
      0);
}

constexpr std::string_view upgrade =
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";

TEST(LimitedSend, EndsWithAConnectionWhosePeerTakesNothing) {
  std::atomic<bool> ended = false;
  std::stop_source never;
  PlainServer server(
      [&](Server& s) {
        s.websocket("/", [&](Connection& ws) -> Task<> {
          const std::string large(64 * 1024, 'x');
          while (true) {
            auto sent = co_await ws.send(large, never.get_token());
            EXPECT_TRUE(sent);
            if (sent && *sent != SendResult::closed) continue;
            ended = true;
            co_return;
          }
        });
      },
      {.limits = {.write_stall_time = milliseconds(100)}});
  const RawPeer peer(server.port(), 4'096);
  ASSERT_TRUE(peer.send(upgrade));
  EXPECT_TRUE(soon([&] { return ended.load(); }));
  EXPECT_TRUE(soon([&] { return server.server().stats().connections == 0; }));
}

TEST(LimitedSend, WaitsForHalfOfTheLimitWhateverTheSizeOfItsMessage) {
  Reluctant peer;
  run([&]() -> Task<> {
    auto ws = co_await connect(peer.server.url("/"), client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    const std::string small(1'024, 'x');
    for (int still = 0; still < 5; ++still) {  // until nearly half of the limit waits, and nothing moves
      for (; ws->queued_bytes() < 480 * 1024; still = 0) ws->send(small);
      static_cast<void>(co_await sleep_for(milliseconds(10)));
    }
    const std::string large(900 * 1024, 'y');
    auto at_once = co_await ws->send(large, milliseconds(20));
    EXPECT_TRUE(at_once);
    if (at_once) {
      EXPECT_EQ(*at_once, SendResult::queued);
    }
    auto early = co_await ws->send("small", milliseconds(20));
    EXPECT_FALSE(early) << "more than half waits";
    EXPECT_TRUE(ws->open());
    peer.takes = true;
    auto sent = co_await ws->send(large, seconds(20));
    EXPECT_TRUE(sent);
    if (sent) {
      EXPECT_NE(*sent, SendResult::over_limit);
    }
    EXPECT_TRUE(ws->close());
    auto end = co_await ws->closed(seconds(20));
    EXPECT_TRUE(end && end->clean);
  });
}

// A message that waits for a streamed one is one that is waited for; a piece of that one is not kept by it.
TEST(AwaitedSend, WaitsForWhatAStreamedMessageHoldsBack) {
  TestServer server([](Server& s) {
    s.websocket("/", [](Connection& ws) -> Task<> {
      while (true) {
        const auto message = co_await ws.receive();
        if (!message) co_return;
      }
    });
  });
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/"), client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    static_cast<void>(co_await ws->send_chunk(MessageKind::text, as_bytes("begun"), false));
    const std::string large(64 * 1024, 'x');
    while (ws->queued_bytes() <= 600 * 1024) ws->send(large);
    auto late = co_await ws->send("more", milliseconds(20));
    EXPECT_FALSE(late) << "more than half of the limit waits";
    static_cast<void>(co_await ws->send_chunk(MessageKind::text, as_bytes("on"), false));
    auto piece = co_await ws->send_chunk(MessageKind::text, as_bytes("ended"), true, seconds(20));
    EXPECT_TRUE(piece);
    auto more = co_await ws->send("more", seconds(20));
    EXPECT_TRUE(more);
    EXPECT_TRUE(ws->close());
    auto end = co_await ws->closed(seconds(20));
    EXPECT_TRUE(end && end->clean);
  });
}

TEST(LimitedSend, TakesItsMessageAtOnceWhereThereIsRoom) {
  TestServer server([](Server& s) {
    s.websocket("/", [](Connection& ws) -> Task<> {
      while (true) {
        const auto message = co_await ws.receive();
        if (!message) co_return;
        auto sent = co_await ws.send(message->view(), seconds(5));
        EXPECT_TRUE(sent);
      }
    });
  });
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/"), client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    auto sent = co_await ws->send("hello", milliseconds(0));
    EXPECT_TRUE(sent) << "no time is needed where nothing is waited for";
    auto answer = co_await ws->receive(seconds(10));
    EXPECT_TRUE(answer);
    auto open = co_await ws->closed(milliseconds(20));
    EXPECT_FALSE(open);
    if (!open) {
      EXPECT_EQ(open.error().code, Errc::timed_out);
    }
    std::stop_source stop;
    stop.request_stop();
    auto called_off = co_await ws->closed(stop.get_token());
    EXPECT_FALSE(called_off);
    EXPECT_TRUE(ws->close());
    auto end = co_await ws->closed(seconds(10));
    EXPECT_TRUE(end);
    auto after = co_await ws->send("too late", seconds(10));
    EXPECT_TRUE(after);
    if (after) {
      EXPECT_EQ(*after, SendResult::closed);
    }
  });
}

// Added to the clock, such a time would lie in the past.
TEST(LongWaits, DoNotEndAtOnce) {
  TestServer server([](Server& s) {
    s.websocket("/", [](Connection& ws) -> Task<> {
      while (true) {
        const auto message = co_await ws.receive();
        if (!message) co_return;
        static_cast<void>(co_await sleep_for(milliseconds(20)));
        co_await ws.send(*message);
      }
    });
  });
  const std::vector<CallOptions> long_waits{CallOptions(Duration::max()), CallOptions(milliseconds::max()),
                                            CallOptions(std::chrono::hours::max()),
                                            CallOptions(std::chrono::duration<double>(1e300))};
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/"), client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    for (const CallOptions& options : long_waits) {
      co_await ws->send("hello");
      auto answer = co_await ws->receive(options);
      EXPECT_TRUE(answer);
    }
    CallOptions set_afterwards;
    set_afterwards.timeout = Duration::max();
    co_await ws->send("hello");
    auto answer = co_await ws->receive(set_afterwards);
    EXPECT_TRUE(answer);
    std::stop_source stop;
    spawn([&stop]() -> Task<> {
      auto slept = co_await sleep_for(Duration::max(), stop.get_token());
      EXPECT_FALSE(slept);
    });
    spawn([&stop]() -> Task<> {
      static_cast<void>(co_await sleep_for(milliseconds(20)));
      stop.request_stop();
    });
    auto end = co_await ws->closed(CallOptions(Duration::max(), stop.get_token()));
    EXPECT_FALSE(end);
    if (!end) {
      EXPECT_EQ(end.error().code, Errc::cancelled);
    }
  });
  auto blocking = blocking::Client::connect(server.url("/"), client_options());
  ASSERT_TRUE(blocking);
  static_cast<void>(blocking->send("hello"));
  EXPECT_TRUE(blocking->receive(Duration::max()));
}

TEST(ShortWaits, MayLieInThePast) {
  TestServer server([](Server& s) { s.websocket("/", [](Connection& ws) -> Task<> { co_await ws.closed(); }); });
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/"), client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    auto nothing = co_await ws->receive(milliseconds::min());
    EXPECT_FALSE(nothing);
    if (!nothing) {
      EXPECT_EQ(nothing.error().code, Errc::timed_out);
    }
  });
}

}  // namespace
}  // namespace fairlead

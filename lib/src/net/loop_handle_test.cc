// SPDX-License-Identifier: Apache-2.0
// Naming loops: posting to them from anywhere, timers on them, and after they have ended.
#include "net/testing.h"

#include <fairlead/asio.h>
#include <fairlead/loop.h>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace fairlead {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(LoopHandle, IsNoneOutsideOfALoop) {
  const LoopHandle none = LoopHandle::current();
  EXPECT_FALSE(none);
  EXPECT_FALSE(none.on_this_loop());
  EXPECT_FALSE(none.post([] { FAIL(); }));
}

TEST(LoopHandle, NamesTheLoopOfATask) {
  LoopHandle kept;
  run([&]() -> Task<> {
    kept = LoopHandle::current();
    EXPECT_TRUE(kept);
    EXPECT_TRUE(kept.on_this_loop());
    EXPECT_EQ(kept, LoopHandle::current());
    co_return;
  });
  EXPECT_TRUE(kept);
  EXPECT_FALSE(kept.on_this_loop());
  EXPECT_FALSE(kept.post([] { FAIL(); })) << "the loop has ended";
}

TEST(LoopHandle, PostsInOrderFromAnotherThread) {
  std::vector<int> seen;
  std::thread other;
  run([&]() -> Task<> {
    const LoopHandle here = LoopHandle::current();
    std::atomic<bool> all = false;
    other = std::thread([&, here] {
      EXPECT_FALSE(here.on_this_loop());
      for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(here.post([&seen, i] { seen.push_back(i); }));
      EXPECT_TRUE(here.post([&] { all = true; }));
    });
    while (!all) static_cast<void>(co_await sleep_for(milliseconds(1)));
  });
  other.join();
  ASSERT_EQ(seen.size(), 1'000U);
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], i);
}

TEST(LoopHandle, PostedWorkMaySpawnAndSleep) {
  bool woke = false;
  run([&]() -> Task<> {
    std::atomic<bool> done = false;
    LoopHandle::current().post([&] {
      spawn([&]() -> Task<> {
        const auto slept = co_await sleep_for(milliseconds(2));
        woke = slept.has_value();
        done = true;
      });
    });
    while (!done) static_cast<void>(co_await sleep_for(milliseconds(1)));
  });
  EXPECT_TRUE(woke);
}

TEST(LoopTimer, RingsOnceAndNotAfterItIsCancelled) {
  int rung = 0;
  run([&]() -> Task<> {
    const LoopHandle here = LoopHandle::current();
    LoopTimer kept = here.call_after(milliseconds(2), [&] { ++rung; });
    LoopTimer cancelled = here.call_after(milliseconds(1), [&] { rung += 100; });
    {
      const LoopTimer dropped = here.call_after(milliseconds(1), [&] { rung += 100; });
    }
    EXPECT_TRUE(cancelled.pending());
    cancelled.cancel();
    EXPECT_FALSE(cancelled.pending());
    static_cast<void>(co_await sleep_for(milliseconds(20)));
    EXPECT_FALSE(kept.pending());
  });
  EXPECT_EQ(rung, 1);
}

TEST(LoopTimer, MayBeReplacedInItsOwnCallAndOutliveItsLoop) {
  int rung = 0;
  LoopTimer timer;
  std::function<void()> again;
  run([&]() -> Task<> {
    again = [&] {
      if (++rung < 3) timer = LoopHandle::current().call_after(milliseconds(1), again);
    };
    timer = LoopHandle::current().call_after(milliseconds(1), again);
    static_cast<void>(co_await sleep_for(milliseconds(50)));
    timer = LoopHandle::current().call_after(seconds(60), [] { FAIL(); });
  });
  EXPECT_EQ(rung, 3);
  EXPECT_FALSE(timer.pending());
}

TEST(Receiving, StopsWhilePausedAndGoesOnWithWhatCame) {
  std::vector<std::string> seen;  // server's loop
  std::atomic<int> count = 0;
  std::atomic<bool> overtaken = false;
  net::testing::TestServer server([&](Server& s) {
    Handlers handlers;
    handlers.message = [&, timer = std::make_shared<LoopTimer>(), busy = std::make_shared<bool>(false)](
                           Connection& ws, MessageView message) {
      if (*busy) overtaken = true;
      seen.emplace_back(message.text());
      *busy = true;
      ws.pause_receiving();
      *timer = LoopHandle::current().call_after(milliseconds(3), [&, raw = &ws, busy] {
        *busy = false;
        ++count;
        raw->resume_receiving();
      });
    };
    s.websocket("/", handlers);
  });
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/"), net::testing::client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    for (int i = 0; i < 20; ++i) ws->send(std::to_string(i));
    for (int i = 0; i < 1'000 && count < 20; ++i) static_cast<void>(co_await sleep_for(milliseconds(5)));
    EXPECT_TRUE(ws->open());
  });
  EXPECT_FALSE(overtaken);
  ASSERT_EQ(count, 20);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], std::to_string(i));
}

TEST(ServerLoops, AreNamedAndStartedBeforeTheyAccept) {
  std::mutex mutex;
  std::map<unsigned, LoopHandle> started;
  std::map<unsigned, std::thread::id> threads;
  ServerOptions options;
  options.threads = 3;
  options.loop_started = [&](LoopHandle loop, unsigned index) {
    EXPECT_TRUE(loop.on_this_loop());
    EXPECT_EQ(loop, LoopHandle::current());
    const std::scoped_lock lock(mutex);
    started[index] = loop;
    threads[index] = std::this_thread::get_id();
  };
  std::vector<LoopHandle> loops;
  {
    net::testing::TestServer server(
        [](Server& s) {
          s.http("/", [](const Request&) { return Response::text(200, LoopHandle::current() ? "on a loop" : "?"); });
        },
        std::move(options));
    loops = server.server().loops();
    ASSERT_EQ(loops.size(), 3U);
    for (unsigned i = 0; i < loops.size(); ++i) {
      std::promise<bool> ran;
      ASSERT_TRUE(loops[i].post([&, i] {
        const std::scoped_lock lock(mutex);
        ran.set_value(started.contains(i) && started[i] == loops[i] && threads[i] == std::this_thread::get_id());
      }));
      auto future = ran.get_future();
      ASSERT_EQ(future.wait_for(seconds(10)), std::future_status::ready);
      EXPECT_TRUE(future.get()) << "the hook ran first, on the loop's thread";
    }
    EXPECT_EQ(started.size(), 3U);
    server.server().stop();
    server.server().wait();
    for (const LoopHandle& loop : loops) EXPECT_FALSE(loop.post([] { FAIL(); }));
  }
  for (const LoopHandle& loop : loops) EXPECT_FALSE(loop.post([] { FAIL(); }));
}

TEST(ServerLoops, OnTheCallersContext) {
  boost::asio::io_context context;
  int index_seen = -1;
  ServerOptions options;
  options.loop_started = [&](const LoopHandle&, unsigned index) { index_seen = static_cast<int>(index); };
  Server server(std::move(options));
  ASSERT_TRUE(server.dangerously_listen_without_tls("127.0.0.1:0"));
  EXPECT_TRUE(server.loops().empty());
  ASSERT_TRUE(start_on(context, server));
  ASSERT_EQ(server.loops().size(), 1U);
  bool ran = false;
  ASSERT_TRUE(server.loops().front().post([&] {
    ran = index_seen == 0;
    server.stop();
  }));
  context.run();
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace fairlead

// SPDX-License-Identifier: Apache-2.0
// Watching descriptors of others on a loop.
#include "net/testing.h"

#include <fairlead/asio.h>
#include <fairlead/loop.h>

#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead {
namespace {

using std::chrono::milliseconds;

// A pair of connected sockets: `ours` is watched, the test has the other end.
class Pair {
 public:
  Pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends_.data()), 0); }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() {
    ::close(ends_[0]);
    hang_up();
  }
  [[nodiscard]] int ours() const { return ends_[0]; }
  void put(std::string_view text) const {
    EXPECT_EQ(::write(ends_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  [[nodiscard]] char take() const {
    char c = 0;
    return ::read(ends_[0], &c, 1) == 1 ? c : '\0';
  }
  void fill() const {
    const std::array<char, 4096> much{};
    while (::write(ends_[0], much.data(), much.size()) > 0) {
    }
  }
  void drain() const {
    std::array<char, 4096> much{};
    while (::read(ends_[1], much.data(), much.size()) > 0) {
    }
  }
  void hang_up() {
    if (ends_[1] >= 0) ::close(std::exchange(ends_[1], -1));
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

LoopWatch watch(const Pair& pair, Interest interest, std::function<void(Readiness)> ready) {
  auto made = LoopHandle::current().watch(pair.ours(), interest, std::move(ready));
  EXPECT_TRUE(made.has_value());
  return made ? std::move(*made) : LoopWatch();
}

// Runs `work` on a loop, which goes on for a moment.
void on_a_loop(std::function<void()> work, milliseconds moment = milliseconds(20)) {
  run([work = std::move(work), moment]() -> Task<> {
    work();
    static_cast<void>(co_await sleep_for(moment));
  });
}

TEST(LoopWatch, TellsInEachTurnForAsLongAsThereIsSomethingToRead) {
  const Pair pair;
  LoopWatch watching;
  std::string read;
  int told = 0;
  on_a_loop([&] {
    watching = watch(pair, Interest::readable, [&](Readiness ready) {
      EXPECT_TRUE(ready.readable);
      EXPECT_FALSE(ready.writable);
      if (++told % 2 == 0) read += pair.take();  // each byte is told twice
    });
    EXPECT_TRUE(watching.active());
    pair.put("abc");
  });
  EXPECT_EQ(read, "abc");
  EXPECT_EQ(told, 6);
  EXPECT_FALSE(watching.active()) << "its loop has ended";
}

TEST(LoopWatch, TellsOfRoomToWriteAndOfWhatIsOfInterestNow) {
  const Pair pair;
  std::vector<std::pair<bool, bool>> told;
  LoopWatch watching;
  on_a_loop([&] {
    pair.fill();
    pair.put("x");
    watching = watch(pair, Interest::writable, [&](Readiness ready) {
      told.emplace_back(ready.readable, ready.writable);
      watching.set_interest(told.size() == 1 ? Interest::both : told.size() == 2 ? Interest::readable : Interest::none);
    });
    LoopHandle::current().post([&] {
      EXPECT_TRUE(told.empty()) << "it is full, and reading is of no interest";
      pair.drain();
    });
  });
  EXPECT_EQ(told, (std::vector<std::pair<bool, bool>>{{false, true}, {true, true}, {true, false}}));
}

TEST(LoopWatch, TellsAHangUpAsReadableAndWritableUnlessNothingIsOfInterest) {
  Pair told_pair;
  Pair silent_pair;
  int told = 0;
  LoopWatch watching;
  LoopWatch silent;
  on_a_loop([&] {
    watching = watch(told_pair, Interest::readable, [&](Readiness ready) {
      EXPECT_TRUE(ready.readable && ready.writable);
      EXPECT_EQ(told_pair.take(), '\0');
      if (++told == 2) watching.cancel();
    });
    silent = watch(silent_pair, Interest::none, [](Readiness) { FAIL() << "nothing is of interest"; });
    told_pair.hang_up();
    silent_pair.hang_up();
  });
  EXPECT_EQ(told, 2);
}

TEST(LoopWatch, InterestThatComesAgainFindsWhatHasHappenedMeanwhile) {
  Pair pair;
  int told = 0;
  LoopWatch watching;
  on_a_loop([&] {
    watching = watch(pair, Interest::none, [&](Readiness ready) {
      EXPECT_TRUE(ready.readable && ready.writable);
      ++told;
      watching = LoopWatch();
    });
    pair.hang_up();
    LoopHandle::current().post([&] { watching.set_interest(Interest::writable); });
  });
  EXPECT_EQ(told, 1);
}

TEST(LoopWatch, MayBeDestroyedInItsOwnCallAndItsDescriptorClosedThere) {
  auto pair = std::make_unique<Pair>();
  auto watching = std::make_unique<LoopWatch>();
  const auto kept = std::make_shared<int>(0);
  on_a_loop([&] {
    *watching = watch(*pair, Interest::readable, [&, kept](Readiness) {
      watching.reset();
      pair.reset();
      ++*kept;  // the call's own captures are still there
    });
    pair->put("x");
  });
  EXPECT_EQ(*kept, 1);
  EXPECT_EQ(kept.use_count(), 1);
}

TEST(LoopWatch, IsNotToldOnceAnotherHasEndedItInTheSameTurn) {
  const Pair first;
  const Pair second;
  int told = 0;
  LoopWatch one;
  LoopWatch other;
  on_a_loop([&] {
    one = watch(first, Interest::readable, [&](Readiness) {
      ++told;
      one.cancel();
      other = LoopWatch();
    });
    other = watch(second, Interest::readable, [&](Readiness) {
      ++told;
      other.cancel();
      one = LoopWatch();
    });
    first.put("x");
    second.put("x");
  });
  EXPECT_EQ(told, 1);
}

TEST(LoopWatch, ManyAreToldInOneTurn) {
  std::vector<std::unique_ptr<Pair>> pairs;
  std::vector<LoopWatch> watches(200);
  std::vector<int> told(200);
  on_a_loop(
      [&] {
        for (std::size_t i = 0; i < watches.size(); ++i) {
          pairs.push_back(std::make_unique<Pair>());
          watches[i] = watch(*pairs[i], Interest::readable, [&, i](Readiness) {
            ++told[i];
            EXPECT_EQ(pairs[i]->take(), 'x');
          });
          pairs[i]->put("x");
        }
      },
      milliseconds(100));
  EXPECT_EQ(told, std::vector<int>(200, 1));
}

TEST(LoopWatch, IsRefusedWhereTheSystemCannotWatch) {
  const Pair pair;
  std::FILE* const file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  on_a_loop([&] {
    const LoopHandle here = LoopHandle::current();
    const auto of_file = here.watch(::fileno(file), Interest::readable, [](Readiness) {});
    ASSERT_FALSE(of_file);
    EXPECT_EQ(of_file.error().code, Errc::system);
    const LoopWatch first = watch(pair, Interest::readable, [](Readiness) {});
    EXPECT_FALSE(here.watch(pair.ours(), Interest::writable, [](Readiness) {})) << "it is watched already";
    EXPECT_FALSE(here.watch(-1, Interest::readable, [](Readiness) {}));
  });
  std::fclose(file);
}

TEST(LoopWatch, IsRefusedByALoopThatHasEnded) {
  const Pair pair;
  LoopHandle here;
  on_a_loop([&] { here = LoopHandle::current(); }, milliseconds(0));
  const auto late = here.watch(pair.ours(), Interest::readable, [](Readiness) {});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::closed);
}

TEST(LoopWatch, DoesNotKeepATaskFromEnding) {
  const Pair pair;
  LoopWatch watching;
  pair.put("x");
  run([&]() -> Task<> {
    watching = watch(pair, Interest::readable, [](Readiness) {});  // never read
    co_return;
  });
  EXPECT_FALSE(watching.active());
  watching.set_interest(Interest::both);
  watching.cancel();
}

TEST(LoopWatch, AnExceptionThatLeavesItsCallEndsTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto die = [] {
    const Pair pair;
    LoopWatch watching;
    on_a_loop([&] { watching = watch(pair, Interest::writable, [](Readiness) { throw 1; }); });
  };
  EXPECT_DEATH(die(), "");
}

TEST(LoopWatch, WorksOnTheCallersContext) {
  boost::asio::io_context context;
  const Pair pair;
  LoopWatch watching;
  std::string read;
  pair.put("abc");
  spawn_on(context, [&]() -> Task<> {
    watching = watch(pair, Interest::readable, [&](Readiness) { read += pair.take(); });
    while (read.size() < 3) static_cast<void>(co_await sleep_for(milliseconds(1)));
  });
  context.run();
  EXPECT_EQ(read, "abc");
  EXPECT_FALSE(watching.active());
}

TEST(LoopWatch, ThatIsAlwaysReadyKeepsNoConnectionWaiting) {
  const Pair pair;
  pair.put("x");
  LoopWatch watching;
  ServerOptions options;
  options.loop_started = [&](const LoopHandle& loop, unsigned) {
    watching = *loop.watch(pair.ours(), Interest::both, [](Readiness) {});
  };
  net::testing::TestServer server(
      [](Server& s) {
        s.websocket("/", [](Connection& ws) -> Task<> {
          while (true) {
            auto message = co_await ws.receive();
            if (!message) break;
            ws.send(*message);
          }
        });
      },
      std::move(options));
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/"), net::testing::client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    for (int i = 0; i < 50; ++i) {
      ws->send("ping");
      const auto answer = co_await ws->receive(std::chrono::seconds(10));
      EXPECT_TRUE(answer);
      if (!answer) co_return;
    }
  });
}

}  // namespace
}  // namespace fairlead

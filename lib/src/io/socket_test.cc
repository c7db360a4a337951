// SPDX-License-Identifier: Apache-2.0
#include "io/socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::io {
namespace {

using std::chrono::milliseconds;

// One end of a pair of sockets, on the loop; the test has the other.
struct End final : SocketEvents {
  End(Loop& on, std::pair<int, int> pair) : loop(on), other(pair.second), socket(on, pair.first) {
    socket.set_events(this);
  }
  End(const End&) = delete;
  End& operator=(const End&) = delete;
  ~End() { hang_up(); }

  static std::pair<int, int> pair() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    return {ends[0], ends[1]};
  }

  void put(std::string_view text) const {
    EXPECT_EQ(::write(other, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void hang_up() {
    if (other >= 0) ::close(std::exchange(other, -1));
  }
  // Reads once, at most so many bytes.
  Received read(std::size_t most) {
    std::array<std::byte, 64> buffer{};
    const Received read = socket.read(MutableBytes(buffer).first(most));
    got += as_text(read.bytes);
    return read;
  }

  void on_readable() override {
    ++readable;
    if (when_readable) when_readable();
  }
  void on_writable() override {
    ++writable;
    if (when_writable) when_writable();
  }

  Loop& loop;
  int other;
  Socket socket;
  std::string got;
  int readable = 0;
  int writable = 0;
  std::function<void()> when_readable;
  std::function<void()> when_writable;
};

class Stop final : public Timer {
 public:
  explicit Stop(Loop& loop) : loop_(loop) {}

 private:
  void on_timer(TimePoint) override { loop_.stop(); }
  Loop& loop_;
};

// A loop that runs until nothing is left to be told: a moment.
struct Running {
  void operator()() {
    loop.set_timer(stop, Loop::now() + milliseconds(20));
    context.restart();
    context.run();
  }
  boost::asio::io_context context;
  Loop loop{context};
  Stop stop{loop};
};

TEST(Socket, IsToldOncePerWait) {
  Running run;
  End end(run.loop, End::pair());
  end.put("a");
  end.socket.wait_readable();
  run();
  EXPECT_EQ(end.readable, 1);
}

TEST(Socket, RemembersWhatCameWhileNobodyWaited) {
  Running run;
  End end(run.loop, End::pair());
  End busy(run.loop, End::pair());
  end.put("a");
  busy.put("b");
  busy.socket.wait_readable();
  run();
  ASSERT_EQ(busy.readable, 1) << "the loop has looked at all edges";
  ASSERT_EQ(end.readable, 0);
  end.socket.wait_readable();
  run();
  EXPECT_EQ(end.readable, 1);
}

TEST(Socket, IsToldAgainUntilItHasBeenReadEmpty) {
  Running run;
  End end(run.loop, End::pair());
  end.when_readable = [&] {
    if (end.read(2).what == Transfer::some) end.socket.wait_readable();
  };
  end.put("abcdef");
  end.socket.wait_readable();
  run();
  EXPECT_EQ(end.got, "abcdef");
  EXPECT_EQ(end.readable, 4) << "three that were filled, one that found nothing";
}

TEST(Socket, IsToldWhatComesAfterItWasReadEmpty) {
  Running run;
  End end(run.loop, End::pair());
  end.when_readable = [&] {
    (void)end.read(64);
    end.socket.wait_readable();
    if (end.readable == 1) end.put("second");
  };
  end.put("first ");
  end.socket.wait_readable();
  run();
  EXPECT_EQ(end.got, "first second");
  EXPECT_EQ(end.readable, 2);
}

// A listening socket in a storm: each turn brings an edge, and each time something is left over.
TEST(Socket, IsNotToldMoreOftenForEachEdgeThatCameWhileItWasToBeToldAgain) {
  Loop loop;
  End end(loop, End::pair());
  int turns = 0;
  int most_in_a_turn = 0;
  end.when_readable = [&] {
    (void)end.read(1);
    end.socket.wait_readable();
  };
  std::function<void()> next = [&] {
    most_in_a_turn = std::max(most_in_a_turn, std::exchange(end.readable, 0));
    if (++turns > 20) return loop.stop();
    end.put("abcdefgh");
    loop.post(next);
  };
  end.socket.wait_readable();
  loop.post(next);
  loop.run();
  EXPECT_GE(most_in_a_turn, 1);
  EXPECT_LE(most_in_a_turn, 4);  // by an edge and because it was left over, in one poll or two
}

TEST(Socket, TheEndBehindTheLastBytesIsTold) {
  Running run;
  End end(run.loop, End::pair());
  bool ended = false;
  end.when_readable = [&] {
    ended = end.read(64).what == Transfer::ended;
    if (!ended) end.socket.wait_readable();
  };
  end.put("last words");
  end.hang_up();
  end.socket.wait_readable();
  run();
  EXPECT_EQ(end.got, "last words");
  EXPECT_TRUE(ended);
}

TEST(Socket, IsToldWhenAFullOneHasRoomAgain) {
  Running run;
  End end(run.loop, End::pair());
  const std::string block(4'096, 'x');
  std::size_t put = 0;
  while (true) {
    const Transferred written = end.socket.write(as_bytes(block));
    if (written.what != Transfer::some) break;
    put += written.bytes;
  }
  end.socket.wait_writable();
  run();
  EXPECT_EQ(end.writable, 0);
  std::string drain(put, '\0');
  EXPECT_EQ(::read(end.other, drain.data(), drain.size()), static_cast<ssize_t>(put));
  run();
  EXPECT_EQ(end.writable, 1);
  end.socket.wait_writable();
  run();
  EXPECT_EQ(end.writable, 2) << "one that has room is told at once";
}

TEST(Socket, OneThatIsDestroyedByAnotherInTheSameTurnIsNotTold) {
  Running run;
  std::vector<std::unique_ptr<End>> ends;
  for (int i = 0; i < 8; ++i) ends.push_back(std::make_unique<End>(run.loop, End::pair()));
  int told = 0;
  for (auto& end : ends) {
    end->when_readable = [&] {
      ++told;
      for (auto& other : ends) {
        if (other != nullptr && other->readable == 0) other.reset();
      }
    };
    end->put("a");
    end->socket.wait_readable();
  }
  run();
  EXPECT_EQ(told, 1);
}

TEST(Socket, OneThatIsDestroyedBeforeItIsToldAgainIsNotTold) {
  Running run;
  End first(run.loop, End::pair());
  auto second = std::make_unique<End>(run.loop, End::pair());
  int second_told = 0;
  const auto leave_some = [](End& end) {
    (void)end.read(1);
    end.socket.wait_readable();
  };
  first.when_readable = [&] {
    if (first.readable == 1) return leave_some(first);
    second.reset();
  };
  second->when_readable = [&] {
    ++second_told;
    leave_some(*second);
  };
  for (End* end : {&first, second.get()}) {
    end->put("ab");
    end->socket.wait_readable();
  }
  run();
  EXPECT_EQ(first.readable, 2);
  EXPECT_EQ(second_told, 1);
}

TEST(Socket, AReleasedDescriptorIsNotWatchedAnyMore) {
  Running run;
  End end(run.loop, End::pair());
  end.put("a");
  end.socket.wait_readable();
  const int descriptor = end.socket.release();
  EXPECT_FALSE(end.socket.is_open());
  run();
  EXPECT_EQ(end.readable, 0);
  Socket again(run.loop, descriptor);
  again.set_events(&end);
  again.wait_readable();
  run();
  EXPECT_EQ(end.readable, 1);
}

TEST(Socket, SaysWhenItsDescriptorCannotBeWatched) {
  Loop loop;
  End end(loop, End::pair());
  EXPECT_TRUE(end.socket.is_watched());
  const Socket file(loop, ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(file.is_open());
  EXPECT_FALSE(file.is_watched());
  const Socket listening(loop, ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC), Socket::Kind::listening);
  EXPECT_FALSE(listening.is_watched());
}

TEST(Socket, KnowsWhatItsPeerHasNotTaken) {
  Running run;
  End end(run.loop, End::pair());
  EXPECT_EQ(end.socket.untaken_bytes(), 0U);
  EXPECT_EQ(end.socket.write(as_bytes("taken late")).bytes, 10U);
  EXPECT_GE(end.socket.untaken_bytes(), 10U);
  std::array<char, 64> taken{};
  EXPECT_EQ(::read(end.other, taken.data(), taken.size()), 10);
  EXPECT_EQ(end.socket.untaken_bytes(), 0U);
}

TEST(Socket, WaitsAloneKeepTheCallersContextRunning) {
  boost::asio::io_context context;
  Loop loop(context);
  End end(loop, End::pair());
  context.run();  // returns: nobody waits
  end.socket.wait_readable();
  context.restart();
  EXPECT_EQ(context.poll(), 0U);
  EXPECT_FALSE(context.stopped());
  end.socket.close();
  context.run();  // returns again
}

}  // namespace
}  // namespace fairlead::io

// SPDX-License-Identifier: Apache-2.0
// The sockets keep the borders of what was sent, so that each write can be seen.
#include "io/outbox.h"

#include "io/socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::io {
namespace {

using Writes = std::vector<std::string>;

class Writer final : public SocketEvents {
 public:
  explicit Writer(Loop& loop) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    socket = std::make_unique<Socket>(loop, ends[0]);
    socket->set_events(this);
    other_ = ends[1];
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { ::close(other_); }

  bool put(std::string_view text) { return socket->write_soon(as_bytes(text), More::nothing); }
  // Since the last time.
  Writes sent() const {
    Writes writes;
    while (true) {
      std::string buffer(65'536, '\0');
      const ssize_t got = ::recv(other_, buffer.data(), buffer.size(), 0);
      if (got <= 0) return writes;
      writes.push_back(buffer.substr(0, static_cast<std::size_t>(got)));
    }
  }

  std::unique_ptr<Socket> socket;
  std::size_t written = 0;
  std::string rest;
  int told = 0;

 private:
  void on_readable() override {}
  void on_writable() override {}
  void on_written(std::size_t bytes, Bytes left) override {
    ++told;
    written += bytes;
    rest = as_text(left);
  }
  int other_ = -1;
};

struct OutboxOfALoop : testing::TestWithParam<bool> {
  void SetUp() override {
    if (!GetParam()) return;
    loop.batch().allow();
    if (!loop.batch().available()) GTEST_SKIP() << "this system does not allow io_uring";
  }
  Loop loop;
  Loop::Entered entered{loop};
  Writer a{loop};
  Writer b{loop};
};
INSTANTIATE_TEST_SUITE_P(, OutboxOfALoop, testing::Bool(),
                         [](const auto& one) { return one.param ? "WithIoUring" : "OneByOne"; });

TEST_P(OutboxOfALoop, WhatOneSocketPutsInLeavesAsOneWrite) {
  EXPECT_TRUE(a.put("one "));
  EXPECT_TRUE(a.put("two"));
  EXPECT_TRUE(b.put("three"));
  EXPECT_EQ(a.sent(), Writes{});
  loop.outbox().flush();
  EXPECT_EQ(a.sent(), Writes{"one two"});
  EXPECT_EQ(b.sent(), Writes{"three"});
  EXPECT_EQ(a.written, 7U);
  EXPECT_EQ(a.told, 1);
  EXPECT_FALSE(a.socket->gathered_bytes() != 0);
}

TEST_P(OutboxOfALoop, OneThatGoesOnBehindAnotherHasWrittenWhatCameBefore) {
  EXPECT_TRUE(a.put("one"));
  EXPECT_TRUE(b.put("two"));
  EXPECT_FALSE(a.put("three")) << "it writes it, when nothing was left over";
  EXPECT_EQ(a.sent(), Writes{"one"});
  EXPECT_EQ(b.sent(), Writes{"two"});
  EXPECT_FALSE(a.socket->gathered_bytes() != 0);
}

TEST_P(OutboxOfALoop, ALargePieceIsNotCopiedAndStaysBehindWhatCameBefore) {
  const std::string large(Outbox::piece_bytes + 1, 'x');
  EXPECT_TRUE(a.put("one"));
  EXPECT_TRUE(b.put("two"));
  EXPECT_FALSE(b.put(large));
  EXPECT_EQ(b.sent(), Writes{"two"});
  EXPECT_FALSE(a.put(large)) << "with nothing before it, too";
}

TEST_P(OutboxOfALoop, ManyPiecesAreBounded) {
  const std::string piece(Outbox::piece_bytes_one_by_one, 'x');
  std::size_t taken = 0;
  while (a.put(piece)) taken += piece.size();
  EXPECT_EQ(taken, Outbox::room_bytes);
}

TEST_P(OutboxOfALoop, ManySocketsAreWrittenInTurns) {
  std::vector<std::unique_ptr<Writer>> many;
  for (std::size_t i = 0; i < 2 * Batch::most + 1; ++i) {
    many.push_back(std::make_unique<Writer>(loop));
    EXPECT_TRUE(many.back()->put(std::to_string(i)));
  }
  EXPECT_EQ(many.front()->told, 1);
  EXPECT_EQ(many.back()->told, 0);
  loop.outbox().flush();
  for (std::size_t i = 0; i < many.size(); ++i) EXPECT_EQ(many.at(i)->sent(), Writes{std::to_string(i)});
}

TEST_P(OutboxOfALoop, WhatIsNotTakenComesBack) {
  const std::string block(1'000, 'x');
  while (a.socket->write(as_bytes(block)).what == Transfer::some) continue;  // full
  EXPECT_TRUE(a.put("no room for this"));
  EXPECT_TRUE(b.put("but for this"));
  loop.outbox().flush();
  EXPECT_EQ(a.written, 0U);
  EXPECT_EQ(a.rest, "no room for this");
  EXPECT_EQ(b.sent(), Writes{"but for this"});
}

TEST_P(OutboxOfALoop, OneThatGoesTakesItsBytesWithIt) {
  EXPECT_TRUE(a.put("never sent"));
  EXPECT_TRUE(b.put("sent"));
  a.socket->close();
  loop.outbox().flush();
  EXPECT_EQ(a.sent(), Writes{});
  EXPECT_EQ(a.told, 0);
  EXPECT_EQ(b.sent(), Writes{"sent"});
}

TEST_P(OutboxOfALoop, LeavesWhenTheLoopIsLeft) {
  Loop other;
  if (GetParam()) other.batch().allow();
  Writer one(other);
  Writer two(other);
  {
    const Loop::Entered inside(other);
    EXPECT_TRUE(one.put("before"));
    EXPECT_TRUE(two.put("you go"));
  }
  EXPECT_EQ(one.sent(), Writes{"before"});
  EXPECT_EQ(two.sent(), Writes{"you go"});
  EXPECT_EQ(other.batch().in_use(), GetParam());
}

TEST_P(OutboxOfALoop, TakesNothingWhileTheLoopDoesNotRun) {
  Loop other;
  Writer writer(other);
  EXPECT_FALSE(writer.put("for whoever writes at once"));
  EXPECT_EQ(writer.socket->gathered_bytes(), 0U);
}

void take_time() {
  const TimePoint until = Clock::now() + 2 * Outbox::patience;
  while (Clock::now() < until) continue;
}

TEST_P(OutboxOfALoop, DoesNotWaitForTheNextOneOnceAHandlerHasTakenItsTime) {
  EXPECT_TRUE(a.put("soon"));
  loop.outbox().flush_if_due();
  take_time();
  loop.outbox().flush_if_due();
  EXPECT_EQ(a.sent(), Writes{"soon"});
}

TEST_P(OutboxOfALoop, NorForTheNextPostedWork) {
  Writes seen;
  loop.post([&] {
    EXPECT_TRUE(a.put("soon"));
    take_time();
  });
  loop.post([&] {
    seen = a.sent();
    loop.stop();
  });
  loop.run();
  EXPECT_EQ(seen, Writes{"soon"});
}

class Calls final : public Timer {
 public:
  explicit Calls(std::function<void()> what) : what_(std::move(what)) {}

 private:
  void on_timer(TimePoint /*now*/) override { what_(); }
  std::function<void()> what_;
};

TEST_P(OutboxOfALoop, NorForTheNextTimer) {
  Writes seen;
  Calls first([&] {
    EXPECT_TRUE(a.put("soon"));
    take_time();
  });
  Calls second([&] {
    seen = a.sent();
    loop.stop();
  });
  const TimePoint now = Clock::now();
  loop.set_timer(first, now);
  loop.set_timer(second, now);
  loop.run();
  EXPECT_EQ(seen, Writes{"soon"});
}

}  // namespace
}  // namespace fairlead::io

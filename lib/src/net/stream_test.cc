// SPDX-License-Identifier: Apache-2.0
// What a stream writes in one turn leaves together. The sockets keep the borders of what was sent, so that each call of
// the system can be seen.
#include "net/stream.h"

#include "io/batch.h"
#include "io/outbox.h"
#include "io/poller.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::net {
namespace {

class Nobody final : public StreamUser {
 public:
  std::function<void(std::string_view)> on_bytes;
  void on_secured() override {}
  void on_data(MutableBytes data) override {
    if (on_bytes) on_bytes(as_text(data));
  }
  void on_read_turn_end() override {}
  void on_room() override {}
  void on_stream_end(const Error*) override {}
  void on_secure_failed(const Error&) override {}
  void on_stream_gone() override {}
};

struct Loops {
  io::Loop loop;
  LoopContext context{loop};
  io::Loop::Entered entered{loop};
  void end_turn() { loop.outbox().flush(); }
};

// A stream in the clear, and the other end of its socket.
class Wire {
 public:
  explicit Wire(Loops& loops) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    stream = std::make_unique<Stream>(loops.context, ends[0], nullptr);
    stream->set_user(&nobody_);
    stream->start();
    other_ = ends[1];
  }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire() { ::close(other_); }

  void write(std::string_view text) const {
    const std::array pieces{as_bytes(text)};
    EXPECT_EQ(stream->write(pieces), text.size());
  }
  void put(std::string_view text) const {
    EXPECT_EQ(::send(other_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  [[nodiscard]] Nobody& nobody() const noexcept { return nobody_; }
  // What has been sent since the last time, call by call; "end" is the end of the stream's direction.
  std::vector<std::string> sent() const {
    std::vector<std::string> calls;
    while (true) {
      std::string buffer(65'536, '\0');
      const ssize_t got = ::recv(other_, buffer.data(), buffer.size(), 0);
      if (got < 0) return calls;
      calls.push_back(got == 0 ? "end" : buffer.substr(0, static_cast<std::size_t>(got)));
      if (got == 0) return calls;
    }
  }

  std::unique_ptr<Stream> stream;

 private:
  mutable Nobody nobody_;
  int other_ = -1;
};

using Calls = std::vector<std::string>;

TEST(Stream, WhatItWritesInATurnLeavesTogetherAtItsEnd) {
  Loops loops;
  const Wire wire(loops);
  wire.write("a");
  wire.write("b");
  EXPECT_EQ(wire.sent(), Calls{});
  loops.end_turn();
  EXPECT_EQ(wire.sent(), Calls{"ab"});
}

TEST(Stream, ALargePieceIsNotCopiedAndStaysBehindWhatCameBefore) {
  Loops loops;
  const Wire wire(loops);
  const std::string large(40'000, 'x');
  wire.write("a");
  wire.write(large);
  wire.write("b");
  loops.end_turn();
  EXPECT_EQ(wire.sent(), (Calls{"a", large, "b"}));
}

TEST(Stream, WritesInTurnWithAnotherKeepTheirOrder) {
  Loops loops;
  const Wire one(loops);
  const Wire other(loops);
  one.write("a");
  other.write("1");
  one.write("b");
  other.write("2");
  loops.end_turn();
  EXPECT_EQ(one.sent(), (Calls{"a", "b"}));
  EXPECT_EQ(other.sent(), (Calls{"1", "2"}));
}

TEST(Stream, TheEndOfTheDirectionFollowsTheLastBytes) {
  Loops loops;
  const Wire wire(loops);
  wire.write("bye");
  wire.stream->shutdown(std::chrono::seconds(1));
  EXPECT_EQ(wire.sent(), Calls{});
  loops.end_turn();
  EXPECT_EQ(wire.sent(), (Calls{"bye", "end"}));
}

TEST(Stream, TheEndOfTheDirectionFollowsALastWordThatOthersHadSeparatedFromWhatCameBefore) {
  Loops loops;
  const Wire wire(loops);
  const Wire other(loops);
  wire.write("a");
  other.write("1");
  wire.stream->send_in_the_clear("last word");
  wire.stream->shutdown(std::chrono::seconds(1));
  loops.end_turn();
  EXPECT_EQ(wire.sent(), (Calls{"a", "last word", "end"}));
}

TEST(Stream, WhatItHadGatheredGoesWithIt) {
  Loops loops;
  Wire wire(loops);
  const Wire next(loops);
  wire.write("never sent");
  wire.stream.reset();
  next.write("a");
  loops.end_turn();
  EXPECT_EQ(wire.sent(), Calls{"end"});
  EXPECT_EQ(next.sent(), Calls{"a"});
}

TEST(Stream, OneThatIsAbortedSendsNothing) {
  Loops loops;
  const Wire wire(loops);
  wire.write("never sent");
  wire.stream->abort();
  loops.end_turn();
  EXPECT_EQ(wire.sent(), Calls{"end"});
}

// The socket is full: what was gathered is kept by the stream, which has no room until it has left.
TEST(Stream, WhatTheSocketDoesNotTakeAtTheEndOfATurnIsKept) {
  Loops loops;
  const Wire wire(loops);
  const std::string piece(4'000, 'x');
  std::size_t written = 0;
  while (wire.stream->has_room() && written < std::size_t{64} * 1024 * 1024) {
    wire.write(piece);
    written += piece.size();
    loops.end_turn();
  }
  EXPECT_FALSE(wire.stream->has_room());
  EXPECT_EQ(wire.stream->unsent_bytes(), piece.size());
  EXPECT_TRUE(wire.stream->stalled_since());
}

TEST(Stream, TwoThatAreReadyTogetherAreReadAndWrittenTogether) {
  Loops loops;
  loops.loop.batch().allow();
  if (!loops.loop.batch().available()) GTEST_SKIP() << "this system does not allow io_uring";
  const Wire one(loops);
  const Wire other(loops);
  std::string order;
  one.nobody().on_bytes = [&](std::string_view text) {
    order += text;
    other.put("late");  // it was read before
    one.write("answer");
  };
  other.nobody().on_bytes = [&](std::string_view text) {
    order += text;
    other.write("answer");
  };
  one.put("a");
  other.put("b");
  loops.loop.poller().tell(0);
  EXPECT_EQ(order, "ab");
  EXPECT_EQ(one.sent(), Calls{"answer"});
  EXPECT_EQ(other.sent(), Calls{"answer"});
}

}  // namespace
}  // namespace fairlead::net

// SPDX-License-Identifier: Apache-2.0
// What a stream writes in one turn leaves together. The sockets keep the borders of what was sent, so that each call of
// the system can be seen.
#include "net/stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::net {
namespace {

class Nobody final : public StreamUser {
 public:
  void on_secured() override {}
  void on_data(MutableBytes) override {}
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
  Nobody nobody_;
  int other_ = -1;
};

using Calls = std::vector<std::string>;

TEST(Cork, WithoutOneEveryWriteLeavesAtOnce) {
  Loops loops;
  const Wire wire(loops);
  wire.write("a");
  wire.write("b");
  EXPECT_EQ(wire.sent(), (Calls{"a", "b"}));
}

TEST(Cork, SmallPiecesLeaveTogetherWhenItGoes) {
  Loops loops;
  const Wire wire(loops);
  {
    const Cork cork(*wire.stream);
    wire.write("a");
    {
      const Cork inner(*wire.stream);
      wire.write("b");
    }
    EXPECT_EQ(wire.sent(), Calls{}) << "an inner one of the same stream goes on gathering";
    wire.write("c");
  }
  EXPECT_EQ(wire.sent(), Calls{"abc"});
}

TEST(Cork, ALargePieceIsNotCopiedAndStaysBehindWhatCameBefore) {
  Loops loops;
  const Wire wire(loops);
  const std::string large(20'000, 'x');
  {
    const Cork cork(*wire.stream);
    wire.write("a");
    wire.write(large);
    wire.write("b");
  }
  EXPECT_EQ(wire.sent(), (Calls{"a", large, "b"}));
}

TEST(Cork, ManyPiecesAreBounded) {
  Loops loops;
  const Wire wire(loops);
  const std::string piece(4'000, 'x');
  {
    const Cork cork(*wire.stream);
    for (int i = 0; i < 9; ++i) wire.write(piece);
    EXPECT_EQ(wire.sent().size(), 2U) << "16 KiB at most wait";
  }
  EXPECT_EQ(wire.sent(), Calls{piece});
}

TEST(Cork, AnotherStreamsDoesNotMixWithTheOuterOne) {
  Loops loops;
  const Wire outer(loops);
  const Wire inner(loops);
  {
    const Cork cork(*outer.stream);
    outer.write("a");
    {
      const Cork other(*inner.stream);
      EXPECT_EQ(outer.sent(), Calls{"a"});
      inner.write("1");
      outer.write("b");
      EXPECT_EQ(outer.sent(), Calls{"b"}) << "it is not the one that gathers";
      inner.write("2");
    }
    EXPECT_EQ(inner.sent(), Calls{"12"});
    outer.write("c");
    outer.write("d");
  }
  EXPECT_EQ(outer.sent(), Calls{"cd"});
}

TEST(Cork, TheEndOfTheDirectionFollowsTheLastBytes) {
  Loops loops;
  const Wire wire(loops);
  {
    const Cork cork(*wire.stream);
    wire.write("bye");
    wire.stream->shutdown(std::chrono::seconds(1));
    EXPECT_EQ(wire.sent(), Calls{});
  }
  EXPECT_EQ(wire.sent(), (Calls{"bye", "end"}));
}

TEST(Cork, WhatAStreamHadGatheredGoesWithIt) {
  Loops loops;
  Wire wire(loops);
  const Wire next(loops);
  {
    const Cork cork(*wire.stream);
    wire.write("never sent");
    wire.stream.reset();
    const Cork other(*next.stream);
    next.write("a");
  }
  EXPECT_EQ(wire.sent(), Calls{"end"});
  EXPECT_EQ(next.sent(), Calls{"a"});
}

TEST(Cork, AnAbortedStreamSendsNothing) {
  Loops loops;
  const Wire wire(loops);
  {
    const Cork cork(*wire.stream);
    wire.write("never sent");
    wire.stream->abort();
  }
  EXPECT_EQ(wire.sent(), Calls{"end"});
}

}  // namespace
}  // namespace fairlead::net

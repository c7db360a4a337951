// SPDX-License-Identifier: Apache-2.0
// What was read before a socket was told is the socket's: nothing of it is lost, doubled or given to another.
#include "io/read_ahead.h"

#include "io/batch.h"
#include "io/poller.h"
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

// A socket that reads when it is told, unless it is told to do something else.
class Reader final : public SocketEvents {
 public:
  explicit Reader(Loop& loop) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    socket_ = std::make_unique<Socket>(loop, ends[0]);
    socket_->set_events(this);
    socket_->wait_readable();
    other_ = ends[1];
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { hang_up(); }

  void put(std::string_view text) const {
    EXPECT_EQ(::write(other_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void hang_up() {
    if (other_ >= 0) ::close(std::exchange(other_, -1));
  }
  Received read(std::size_t room = std::size_t{128} * 1024) {
    std::vector<std::byte> buffer(room);
    const Received read = socket_->read(buffer);
    got += as_text(read.bytes);
    ended = read.what == Transfer::ended;
    return read;
  }
  [[nodiscard]] Socket& socket() noexcept { return *socket_; }

  std::string got;
  bool ended = false;
  bool announces = true;          // that it will read
  std::function<void()> on_told;  // instead of reading

 private:
  void on_readable() override {
    if (on_told) return on_told();
    read();
    if (!ended) socket_->wait_readable();
  }
  void on_writable() override {}
  [[nodiscard]] bool reads_when_told() const noexcept override { return announces; }

  std::unique_ptr<Socket> socket_;
  int other_ = -1;
};

class ReadAheadOfTheirTurn : public testing::Test {
 protected:
  void SetUp() override {
    loop_.batch().allow();
    if (!loop_.batch().available()) GTEST_SKIP() << "this system does not allow io_uring";
  }
  // One turn, in which all that is ready is told.
  void turn() { loop_.poller().tell(0); }
  Reader& reader() { return *readers_.emplace_back(std::make_unique<Reader>(loop_)); }
  void drop(const Reader& reader) {
    std::erase_if(readers_, [&](const auto& each) { return each.get() == &reader; });
  }

  Loop loop_;
  Loop::Entered entered_{loop_};
  std::vector<std::unique_ptr<Reader>> readers_;
};

TEST_F(ReadAheadOfTheirTurn, EverySocketGetsItsOwn) {
  constexpr int many = 100;  // three groups and a bit
  for (int i = 0; i < many; ++i) reader().put("for " + std::to_string(i));
  turn();
  for (std::size_t i = 0; i < many; ++i) EXPECT_EQ(readers_.at(i)->got, "for " + std::to_string(i));
}

TEST_F(ReadAheadOfTheirTurn, TheLastIsReadBeforeTheFirstIsTold) {
  Reader& first = reader();
  Reader& second = reader();
  first.put("a");
  second.put("b");
  first.on_told = [&] {
    first.read();
    second.put("too late for this time");
  };
  second.on_told = [&] { second.read(); };
  turn();
  EXPECT_EQ(second.got, "b");
}

TEST_F(ReadAheadOfTheirTurn, WhatIsNotTakenIsKeptAndComesBeforeTheRest) {
  Reader& busy = reader();
  Reader& other = reader();
  busy.put("first ");
  other.put("x");
  busy.on_told = [] {};  // announced, but it does not read
  turn();
  EXPECT_EQ(busy.got, "");
  busy.put("second");
  busy.on_told = nullptr;
  busy.socket().wait_readable();
  turn();
  turn();
  EXPECT_EQ(busy.got, "first second");
}

TEST_F(ReadAheadOfTheirTurn, WhatWasKeptComesInAsManyReadsAsTheReaderLikes) {
  Reader& busy = reader();
  reader().put("x");
  busy.put("abcdef");
  busy.on_told = [] {};
  turn();
  for (const char* const wanted : {"ab", "abcd", "abcdef"}) {
    busy.read(2);
    EXPECT_EQ(busy.got, wanted);
  }
  EXPECT_EQ(busy.read(2).what, Transfer::would_block);
}

TEST_F(ReadAheadOfTheirTurn, AnEndThatWasReadButNotTakenIsKept) {
  Reader& busy = reader();
  Reader& other = reader();
  busy.put("bye");
  other.put("x");
  busy.hang_up();
  busy.on_told = [] {};
  turn();
  busy.on_told = nullptr;
  busy.socket().wait_readable();
  for (int i = 0; i < 3; ++i) turn();
  EXPECT_EQ(busy.got, "bye");
  EXPECT_TRUE(busy.ended);
}

TEST_F(ReadAheadOfTheirTurn, WhoDoesNotAnnounceItIsNotReadAhead) {
  Reader& first = reader();
  Reader& careful = reader();
  Reader& third = reader();
  for (Reader* const each : {&first, &careful, &third}) each->put("a");
  careful.announces = false;
  first.on_told = [&] {
    first.read();
    careful.put("b");
  };
  turn();
  EXPECT_EQ(careful.got, "ab") << "it read when it was told";
}

TEST_F(ReadAheadOfTheirTurn, OneThatGoesBeforeItIsToldTakesItsBytesWithIt) {
  Reader& first = reader();
  Reader& second = reader();
  Reader& third = reader();
  for (Reader* const each : {&first, &second, &third}) each->put("a");
  first.on_told = [&] {
    first.read();
    drop(second);
  };
  turn();
  EXPECT_EQ(third.got, "a");
}

TEST_F(ReadAheadOfTheirTurn, OneWhoseBytesAreKeptMayGo) {
  Reader& busy = reader();
  reader().put("x");
  busy.put("never read");
  busy.on_told = [] {};
  turn();
  drop(busy);
  turn();
}

TEST_F(ReadAheadOfTheirTurn, WhoBringsMuchIsReadWhenItIsToldUntilItHasBroughtLittleForAWhile) {
  Reader& heavy = reader();
  Reader& light = reader();
  std::size_t room = 0;
  heavy.on_told = [&] {
    const Received read = heavy.read();
    room = read.left_room ? read.bytes.size() : 0;
    heavy.socket().wait_readable();
  };
  const auto both = [&](const std::string& text) {
    heavy.put(text);
    light.put("x");
    turn();
    turn();
  };
  const std::string much(std::size_t{100} * 1024, 'x');
  both(much);
  EXPECT_NE(room, much.size()) << "the first time it came in parts";
  both(much);
  EXPECT_EQ(room, much.size()) << "in one read, since no room of 64 KiB is in between";
  for (int i = 0; i < 20; ++i) both("little");
  both(much);
  EXPECT_NE(room, much.size()) << "read ahead again";
}

TEST_F(ReadAheadOfTheirTurn, WhatAHandlerThrowsTakesNobodysBytes) {
  Reader& first = reader();
  Reader& second = reader();
  first.put("a");
  second.put("b");
  first.on_told = [&]() -> void { throw std::bad_alloc(); };
  EXPECT_THROW(turn(), std::bad_alloc);
  second.read();
  EXPECT_EQ(second.got, "b");
  first.read();
  EXPECT_EQ(first.got, "a");
}

}  // namespace
}  // namespace fairlead::io

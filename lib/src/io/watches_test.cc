// SPDX-License-Identifier: Apache-2.0
// What net/loop_watch_test.cc does not see: sockets of the loop beside watched descriptors, and many of those.
#include "io/watches.h"

#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace fairlead::io {
namespace {

// Watches an event descriptor, which is readable from its beginning.
class Bell final : public Watch {
 public:
  explicit Bell(Loop& loop, Directions wanted = {.read = true, .write = false})
      : descriptor_(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)) {
    EXPECT_TRUE(loop.watches().add(*this, descriptor_, wanted).has_value());
  }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  ~Bell() override { ::close(descriptor_); }

  void silence() const {
    std::uint64_t value = 0;
    EXPECT_EQ(::eventfd_read(descriptor_, &value), 0);
  }
  int told = 0;
  std::function<void()> when_told;

 private:
  void on_ready(Directions ready) noexcept override {
    EXPECT_TRUE(ready.read);
    ++told;
    if (when_told) when_told();
  }
  int descriptor_;
};

TEST(Watches, MoreThanATurnTellsAreAllToldInTurn) {
  Loop loop;
  std::vector<std::unique_ptr<Bell>> bells;
  bells.reserve(300);
  for (int i = 0; i < 300; ++i) bells.push_back(std::make_unique<Bell>(loop));
  int calls = 0;
  for (auto& bell : bells) {
    bell->when_told = [&] {
      if (++calls == 3 * 320) loop.stop();  // turns tell 64 each
    };
  }
  loop.run();
  for (const auto& bell : bells) {
    EXPECT_GE(bell->told, 3);
    EXPECT_LE(bell->told, 4) << "none is told twice before all have been told once";
  }
}

// One end of a socket that answers itself: each turn in which it is told, it makes itself readable again.
class Busy final : public SocketEvents {
 public:
  explicit Busy(Loop& loop) : socket_(loop, ::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)) {
    socket_.set_events(this);
    socket_.wait_readable();
  }
  int told = 0;

 private:
  void on_readable() override {
    ++told;
    socket_.note_drained();
    socket_.wait_readable();
    EXPECT_EQ(::eventfd_write(socket_.descriptor(), 1), 0);
  }
  void on_writable() override {}
  Socket socket_;
};

TEST(Watches, AreToldBesideTheLoopsOwnSockets) {
  Loop loop;
  Busy busy(loop);
  Bell always(loop);
  always.when_told = [&] {
    if (always.told == 1'000) loop.stop();
  };
  loop.run();
  EXPECT_GE(busy.told, 999);
  EXPECT_LE(busy.told, 1'001) << "each once in a turn";
}

TEST(Watches, TheCallersContextRunsOnlyWhileSomethingIsWanted) {
  boost::asio::io_context context;
  Loop loop(context);
  Bell uninterested(loop, {});
  Bell bell(loop);
  bell.when_told = [&] {
    if (bell.told == 3) loop.watches().change(bell, {});
  };
  context.run();
  EXPECT_EQ(bell.told, 3);
  EXPECT_EQ(uninterested.told, 0);
  context.restart();
  loop.watches().change(bell, {.read = true, .write = false});
  bell.when_told = [&] { loop.watches().remove(bell); };
  context.run();
  EXPECT_EQ(bell.told, 4);
}

TEST(Watches, FallSilentWhenTheirLoopGoes) {
  auto loop = std::make_unique<Loop>();
  Bell bell(*loop);
  Bell other(*loop);
  EXPECT_TRUE(bell.active());
  loop.reset();
  EXPECT_FALSE(bell.active());
  EXPECT_FALSE(other.active());
}

}  // namespace
}  // namespace fairlead::io

// SPDX-License-Identifier: Apache-2.0
#include "io/acceptor.h"

#include "io/poller.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <vector>

namespace fairlead::io {
namespace {

using std::chrono::milliseconds;

class Alarm final : public Timer {
 public:
  std::function<void()> then;

 private:
  void on_timer(TimePoint) override { then(); }
};

// A listening socket and those who connect to it, which the kernel does by itself.
class AcceptorTest : public ::testing::Test {
 protected:
  AcceptorTest() = default;
  ~AcceptorTest() override {
    for (const int descriptor : descriptors) ::close(descriptor);
  }

  void connect(int count) {
    for (int i = 0; i < count; ++i) {
      const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      descriptors.push_back(descriptor);
      EXPECT_EQ(::connect(descriptor, here.data(), here.size()), 0);
    }
  }
  // Accepts until so many are there, or so much time has passed.
  void accept(std::size_t count, milliseconds at_most = milliseconds{5'000}) {
    acceptor.start([this, count](int descriptor, const Endpoint&) {
      descriptors.push_back(descriptor);
      accepted_in.push_back(loop.poller().turn());
      if (accepted_in.size() == count) loop.stop();
    });
    run_for(at_most);
  }
  void run_for(milliseconds time) {
    alarm.then = [this] { loop.stop(); };
    loop.set_timer(alarm, Loop::now() + time);
    loop.run();
  }
  [[nodiscard]] std::vector<std::size_t> accepted_in_turns() const {
    std::vector<std::size_t> counts;
    for (std::size_t i = 0; i < accepted_in.size(); ++i) {
      if (i == 0 || accepted_in[i] != accepted_in[i - 1]) counts.push_back(0);
      ++counts.back();
    }
    return counts;
  }

  Loop loop;
  int listening = *Acceptor::listen(*Endpoint::ip("127.0.0.1", 0));
  Endpoint here = Acceptor::local_endpoint(listening);
  Acceptor acceptor{loop, listening};
  Alarm alarm;
  std::vector<int> descriptors;
  std::vector<std::uint64_t> accepted_in;
};

TEST_F(AcceptorTest, OfACrowdItAcceptsMoreInEachTurn) {
  connect(100);
  accept(100);
  EXPECT_EQ(accepted_in_turns(), (std::vector<std::size_t>{1, 2, 4, 8, 16, 32, 32, 5}));
}

TEST_F(AcceptorTest, WhoComesLaterIsAcceptedToo) {
  connect(1);
  Alarm later;
  later.then = [this] { connect(2); };
  loop.set_timer(later, Loop::now() + milliseconds{20});
  accept(3);
  EXPECT_EQ(accepted_in.size(), 3U);
}

TEST_F(AcceptorTest, NobodyIsAcceptedBehindStop) {
  connect(40);
  acceptor.start([this](int descriptor, const Endpoint&) {
    descriptors.push_back(descriptor);
    if (descriptors.size() == 50) acceptor.stop();
  });
  run_for(milliseconds{50});
  EXPECT_EQ(descriptors.size(), 50U);
}

// The sanitizer for undefined behaviour itself needs two descriptors to look at an object.
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
#define FAIRLEAD_NEEDS_DESCRIPTORS
#endif
#endif
#ifndef FAIRLEAD_NEEDS_DESCRIPTORS
TEST_F(AcceptorTest, WaitsWhereNoDescriptorIsLeft) {
  connect(3);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  Alarm later;
  std::uint64_t turns = 0;
  later.then = [&] {
    turns = loop.poller().turn();
    EXPECT_TRUE(accepted_in.empty());
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  };
  loop.set_timer(later, Loop::now() + milliseconds{250});
  accept(3);
  EXPECT_EQ(accepted_in.size(), 3U);
  EXPECT_LT(turns, 20U) << "it does not spin";
}
#endif

TEST_F(AcceptorTest, ASocketThatListensNoMoreIsLetGo) {
  acceptor.start([](int, const Endpoint&) {});
  ASSERT_EQ(::shutdown(listening, SHUT_RDWR), 0);
  run_for(milliseconds{50});
  EXPECT_LT(loop.poller().turn(), 20U) << "it does not spin";
}

TEST(AcceptorOnTheCallersContext, AcceptsACrowd) {
  boost::asio::io_context context;
  Loop loop(context);
  const int listening = *Acceptor::listen(*Endpoint::ip("127.0.0.1", 0));
  const Endpoint here = Acceptor::local_endpoint(listening);
  Acceptor acceptor(loop, listening);
  std::vector<int> descriptors;
  for (int i = 0; i < 100; ++i) {
    descriptors.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(descriptors.back(), here.data(), here.size()), 0);
  }
  {
    const Loop::Entered entered(loop);
    acceptor.start([&](int descriptor, const Endpoint&) {
      descriptors.push_back(descriptor);
      if (descriptors.size() == 200) context.stop();
    });
  }
  context.run_for(std::chrono::seconds{5});
  EXPECT_EQ(descriptors.size(), 200U);
  for (const int descriptor : descriptors) ::close(descriptor);
}

}  // namespace
}  // namespace fairlead::io

// SPDX-License-Identifier: Apache-2.0
#include "io/loop.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace fairlead::io {
namespace {

class AtTurnEnd final : public Deferred {
 public:
  explicit AtTurnEnd(std::function<void()> what) : what_(std::move(what)) {}

 private:
  void on_turn_end() override { what_(); }
  std::function<void()> what_;
};

class Ring final : public Timer {
 public:
  explicit Ring(std::function<void()> what) : what_(std::move(what)) {}

 private:
  void on_timer(TimePoint) override { what_(); }
  std::function<void()> what_;
};

TEST(Loop, WhatIsPostedFromAnotherThreadRunsInOrder) {
  Loop loop;
  std::string order;
  std::thread other([&] {
    for (const char c : {'a', 'b', 'c'}) loop.post([&order, c] { order += c; });
    loop.post([&] { loop.stop(); });
  });
  loop.run();
  other.join();
  EXPECT_EQ(order, "abc");
}

TEST(Loop, DeferredWorkRunsOnceBehindWhatWasReady) {
  Loop loop;
  std::string order;
  AtTurnEnd end([&] { order += '|'; });
  loop.post([&] {
    order += 'a';
    loop.defer(end);
    loop.defer(end);
  });
  loop.post([&] {
    order += 'b';
    loop.defer(end);
  });
  Ring stop([&] { loop.stop(); });
  loop.set_timer(stop, Loop::now() + std::chrono::milliseconds(20));
  loop.run();
  EXPECT_EQ(order, "ab|");
}

TEST(Loop, AnEarlierTimerOvertakesALaterOne) {
  Loop loop;
  std::string order;
  Ring late([&] {
    order += 'l';
    loop.stop();
  });
  Ring early([&] { order += 'e'; });
  loop.set_timer(late, Loop::now() + std::chrono::milliseconds(30));
  loop.set_timer(early, Loop::now() + std::chrono::milliseconds(5));
  loop.run();
  EXPECT_EQ(order, "el");
}

TEST(Loop, KnowsItselfInsideItsCallbacksOnly) {
  Loop loop;
  EXPECT_EQ(Loop::current(), nullptr);
  const Loop* seen = nullptr;
  loop.post([&] {
    seen = Loop::current();
    loop.stop();
  });
  loop.run();
  EXPECT_EQ(seen, &loop);
  EXPECT_EQ(Loop::current(), nullptr);
}

TEST(Loop, AStopBeforeItRunsCounts) {
  Loop loop;
  bool ran = false;
  loop.post([&] { ran = true; });
  loop.stop();
  loop.run();
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace fairlead::io

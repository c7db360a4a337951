// SPDX-License-Identifier: Apache-2.0
#include "transport/deadlines.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

namespace fairlead::server {
namespace {

using std::chrono::milliseconds;

struct Item final : Deadlined {
  explicit Item(std::function<void(TimePoint)> work) : due(std::move(work)) {}
  void on_due(TimePoint now) override { due(now); }
  std::function<void(TimePoint)> due;
};

TimePoint at(int ms) { return TimePoint{} + milliseconds(ms); }

TEST(Deadlines, CallsWhatIsDueEarliestFirst) {
  Deadlines deadlines;
  std::vector<int> seen;
  std::vector<std::unique_ptr<Item>> items;
  for (const int ms : {30, 10, 20, 40}) {
    items.push_back(std::make_unique<Item>([&seen, ms](TimePoint) { seen.push_back(ms); }));
    deadlines.set(*items.back(), at(ms));
  }
  EXPECT_EQ(deadlines.next(), at(10));
  deadlines.fire(at(9));
  EXPECT_TRUE(seen.empty());
  deadlines.fire(at(30));
  EXPECT_EQ(seen, (std::vector<int>{10, 20, 30}));
  EXPECT_EQ(deadlines.next(), at(40));
  EXPECT_EQ(deadlines.size(), 1U);
}

TEST(Deadlines, MovesForwardAtOnceAndBackOnlyWhenItHasCome) {
  Deadlines deadlines;
  int calls = 0;
  Item item([&](TimePoint) { ++calls; });
  deadlines.set(item, at(20));
  deadlines.set(item, at(50));
  EXPECT_EQ(deadlines.next(), at(20));
  deadlines.set(item, at(10));
  EXPECT_EQ(deadlines.next(), at(10));
  EXPECT_EQ(deadlines.size(), 1U);
  deadlines.fire(at(60));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(deadlines.next(), std::nullopt);
}

TEST(Deadlines, ForgetWhatIsDestroyedAlsoInTheMiddleOfACall) {
  Deadlines deadlines;
  auto second = std::make_unique<Item>([](TimePoint) { FAIL(); });
  Item first([&](TimePoint) { second.reset(); });
  deadlines.set(first, at(1));
  deadlines.set(*second, at(2));
  deadlines.fire(at(5));
  EXPECT_EQ(deadlines.size(), 0U);
}

TEST(Deadlines, WhatIsSetForThePastWaitsForTheNextCall) {
  Deadlines deadlines;
  int again = 0;
  int other = 0;
  Item greedy([&](TimePoint) {
    ++again;
    deadlines.set(greedy, at(0));
  });
  Item patient([&](TimePoint) { ++other; });
  deadlines.set(greedy, at(1));
  deadlines.set(patient, at(2));
  deadlines.fire(at(5));
  EXPECT_EQ(again, 1);
  EXPECT_EQ(other, 1);
  deadlines.fire(at(6));
  EXPECT_EQ(again, 2);
}

TEST(Deadlines, MayGoBeforeTheirItems) {
  auto deadlines = std::make_unique<Deadlines>();
  Item item([](TimePoint) { FAIL(); });
  deadlines->set(item, at(1));
  deadlines.reset();
}

}  // namespace
}  // namespace fairlead::server

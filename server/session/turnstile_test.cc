// SPDX-License-Identifier: Apache-2.0
#include "session/turnstile.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace fairlead::server {
namespace {

using std::chrono::microseconds;

// A loop whose time passes only by what work costs.
class TurnstileTest : public ::testing::Test {
 protected:
  void pass(const std::string& name, microseconds cost = Turnstile::share / 2) {
    turnstile.pass([this, name, cost] {
      now += cost;
      log += name + " ";
    });
  }
  // What was asked for in this turn runs in the next, when others have had their time.
  void next_turn(microseconds others_took = Turnstile::share) {
    log += "| ";
    now += others_took;
    for (const auto& work : std::exchange(wanted, {})) work();
  }

  TimePoint now{};
  std::string log;
  std::vector<std::function<void()>> wanted;
  Turnstile turnstile{[this] { return now; },
                      [this](std::function<void()> work) { wanted.push_back(std::move(work)); }};
};

TEST_F(TurnstileTest, WorkPassesAtOnceWhileTheShareOfTheTurnLasts) {
  pass("a");
  pass("b");
  EXPECT_EQ(log, "a b ");
  EXPECT_EQ(turnstile.waiting(), 0U);
}

TEST_F(TurnstileTest, PastTheShareItWaitsForTheNextTurns) {
  for (const char* name : {"a", "b", "c", "d", "e"}) pass(name);
  next_turn();
  next_turn();
  EXPECT_EQ(log, "a b | c d | e ");
}

TEST_F(TurnstileTest, EachTurnHasAShareOfItsOwn) {
  pass("a");
  pass("b");
  next_turn();
  pass("c");
  EXPECT_EQ(log, "a b | c ");
}

TEST_F(TurnstileTest, ATurnInWhichOthersHadLittleGivesLittle) {
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g", "h"}) pass(name, Turnstile::share / 4);
  next_turn(Turnstile::share / 2);
  next_turn(microseconds(0));
  EXPECT_EQ(log, "a b c d | e f | g ");
}

TEST_F(TurnstileTest, WorkThatCostsMoreThanTheShareIsDoneAlone) {
  for (const char* name : {"a", "b", "c"}) pass(name, 20 * Turnstile::share);
  next_turn();
  next_turn();
  EXPECT_EQ(log, "a | b | c ");
}

TEST_F(TurnstileTest, NobodyOvertakesWhoWaits) {
  pass("a", Turnstile::share);
  pass("b");
  pass("c", Turnstile::share);
  pass("d");
  next_turn();
  pass("e");
  next_turn();
  EXPECT_EQ(log, "a | b c | d e ");
}

TEST_F(TurnstileTest, WhatWorkBringsWaitsInLine) {
  turnstile.pass([this] {
    now += Turnstile::share;
    log += "a ";
    pass("b");
    pass("c");
  });
  next_turn();
  EXPECT_EQ(log, "a | b c ");
}

TEST_F(TurnstileTest, ATurnIsAskedForOnceAndOnlyWhileThereIsAReason) {
  for (const char* name : {"a", "b", "c"}) pass(name);
  EXPECT_EQ(wanted.size(), 1U);
  next_turn();
  EXPECT_TRUE(wanted.empty());
}

TEST_F(TurnstileTest, WorkThatNeverComesUpIsDestroyedWithIt) {
  auto held = std::make_shared<int>(1);
  {
    Turnstile ending([this] { return now += Turnstile::share; }, [](const std::function<void()>&) {});
    ending.pass([] {});
    ending.pass([held] {});
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
#include "net/doorway.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::net {
namespace {

using std::chrono::microseconds;
using Progress = Doorway::Progress;

// A loop whose time passes only by what guests cost.
class DoorwayTest : public ::testing::Test {
 protected:
  class Visitor final : public Doorway::Guest {
   public:
    Visitor(DoorwayTest& test, std::string name, microseconds cost = Doorway::share / 2)
        : test_(test), name_(std::move(name)), cost_(cost) {}
    ~Visitor() { test_.doorway.leave(*this); }
    std::function<void()> then;

   private:
    void on_admitted() override {
      test_.now += cost_;
      test_.log += name_ + " ";
      if (then) then();
    }
    DoorwayTest& test_;
    std::string name_;
    microseconds cost_;
  };

  Visitor& come(const std::string& name, Progress progress = Progress::fresh, microseconds cost = Doorway::share / 2) {
    visitors.push_back(std::make_unique<Visitor>(*this, name, cost));
    doorway.queue(*visitors.back(), progress);
    return *visitors.back();
  }

  // Runs the loop until so many turns have ended; behind each comes what an open connection does.
  void turns(int count) {
    loop.post([this, count] { begin_turn(count); });
    loop.run();
  }
  // What is posted runs before the ends of its turn, so the next post is behind the ends of this one.
  void begin_turn(int left) {
    ordinary.end_with_a_turn(loop);
    loop.post([this, left] {
      log += "| ";
      now += turn_costs;
      if (left == 1) return loop.stop();
      begin_turn(left - 1);
    });
  }

  // Makes a turn end even when nobody is at the door.
  struct Ordinary final : io::Deferred {
    void end_with_a_turn(io::Loop& on) { on.defer(*this); }
    void on_turn_end() override {}
  };

  TimePoint now{};
  microseconds turn_costs = Doorway::share;
  std::string log;
  io::Loop loop;
  Ordinary ordinary;
  Doorway doorway{loop, [this] { return now; }};
  std::vector<std::unique_ptr<Visitor>> visitors;
};

TEST_F(DoorwayTest, ATurnTakesNoMoreStepsThanItsShareAllows) {
  for (const char* name : {"a", "b", "c", "d", "e"}) come(name);
  turns(3);
  EXPECT_EQ(log, "a b | c d | e | ");
}

TEST_F(DoorwayTest, AStepThatCostsMoreThanTheShareIsTakenAlone) {
  for (const char* name : {"a", "b", "c"}) come(name, Progress::fresh, 10 * Doorway::share);
  turns(3);
  EXPECT_EQ(log, "a | b | c | ");
}

TEST_F(DoorwayTest, AShortTurnHasAShortShare) {
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g", "h"}) come(name, Progress::fresh, Doorway::share / 4);
  turn_costs = Doorway::share / 2;
  turns(3);
  EXPECT_EQ(log, "a b c d | e f | g h | ");
}

TEST_F(DoorwayTest, WhoDribblesAHelloDoesNotShutTheDoor) {
  for (int i = 0; i < 20; ++i) come("b", Progress::begun);
  come("f");
  turns(5);
  EXPECT_NE(log.find('f'), std::string::npos) << log;
}

TEST_F(DoorwayTest, TheShareGrowsWithTheTimeThatOthersTake) {
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}) come(name);
  turn_costs = 8 * Doorway::share;
  turns(3);
  EXPECT_EQ(log, "a b | c d e f | g h i j | ");
}

TEST_F(DoorwayTest, TheShareHasAnEndHoweverLongATurnTakes) {
  for (int i = 0; i < 100; ++i) come("x");
  turn_costs = 1'000 * Doorway::share;
  turns(2);
  EXPECT_EQ(std::ranges::count(log, 'x'), 2 + 2 * (Doorway::longest_share / Doorway::share));
}

TEST_F(DoorwayTest, WhoHasBegunComesBeforeWhoHasOnlySaidHello) {
  come("a");
  come("b");
  come("c", Progress::begun);
  come("d", Progress::begun);
  turns(2);
  EXPECT_EQ(log, "c d | a b | ");
}

TEST_F(DoorwayTest, WhoHasLeftIsPassedOver) {
  for (const char* name : {"a", "b", "c", "d"}) come(name);
  doorway.leave(*visitors.at(0));
  visitors.at(2).reset();
  EXPECT_FALSE(visitors.at(0)->waits_at_door());
  turns(2);
  EXPECT_EQ(log, "b d | | ");
}

TEST_F(DoorwayTest, LeavingIsNoMistakeForWhoDoesNotWait) {
  Visitor& visitor = come("a");
  turns(1);
  EXPECT_FALSE(visitor.waits_at_door());
  doorway.leave(visitor);
  EXPECT_EQ(log, "a | ");
}

TEST_F(DoorwayTest, WhoComesAgainInItsTurnWaitsBehindTheOthersOfItsLine) {
  Visitor& again = come("a");
  again.then = [&] {
    again.then = nullptr;
    doorway.queue(again, Progress::begun);
  };
  come("b", Progress::begun);
  come("c", Progress::begun);
  turns(3);
  EXPECT_EQ(log, "b c | a a | | ");
}

TEST_F(DoorwayTest, AGuestMayGoInItsTurnAndTakeAnotherAlong) {
  Visitor& first = come("a");
  come("b");
  come("c");
  first.then = [&] { visitors.at(1).reset(); };
  turns(2);
  EXPECT_EQ(log, "a c | | ");
}

TEST_F(DoorwayTest, ACrowdIsServedInTheEnd) {
  for (int i = 0; i < 1'000; ++i) come("x");
  turns(501);
  EXPECT_EQ(log.size(), 2 * (1'000U + 501U));
  for (const auto& visitor : visitors) EXPECT_FALSE(visitor->waits_at_door());
}

}  // namespace
}  // namespace fairlead::net

// SPDX-License-Identifier: Apache-2.0
#include "io/timers.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace fairlead::io {
namespace {

using std::chrono::milliseconds;

class Recorder final : public Timer {
 public:
  explicit Recorder(std::function<void()> what) : what_(std::move(what)) {}

 private:
  void on_timer(TimePoint) override { what_(); }
  std::function<void()> what_;
};

TimePoint at(int ms) { return TimePoint{} + milliseconds(ms); }

TEST(Timers, FireInOrderOfTimeHoweverTheyWereSet) {
  std::mt19937 random(3);  // NOLINT(cert-msc32-c,cert-msc51-cpp): a repeatable run
  Timers timers;
  std::vector<int> fired;
  std::vector<std::unique_ptr<Recorder>> all;
  for (int i = 0; i < 500; ++i) {
    const int when = static_cast<int>(random() % 1000);
    all.push_back(std::make_unique<Recorder>([&fired, when] { fired.push_back(when); }));
    timers.set(*all.back(), at(when));
  }
  timers.fire(at(1000));
  EXPECT_EQ(fired.size(), 500U);
  EXPECT_TRUE(std::is_sorted(fired.begin(), fired.end()));
  EXPECT_FALSE(timers.next());
}

TEST(Timers, OnlyWhatIsDueFires) {
  Timers timers;
  int early = 0;
  int late = 0;
  Recorder first([&] { ++early; });
  Recorder second([&] { ++late; });
  timers.set(first, at(10));
  timers.set(second, at(11));
  timers.fire(at(10));
  EXPECT_EQ(early, 1);
  EXPECT_EQ(late, 0);
  EXPECT_EQ(timers.next(), at(11));
}

TEST(Timers, SettingAgainMovesAndCancellingForgets) {
  Timers timers;
  std::vector<int> fired;
  Recorder one([&] { fired.push_back(1); });
  Recorder two([&] { fired.push_back(2); });
  Recorder three([&] { fired.push_back(3); });
  timers.set(one, at(10));
  timers.set(two, at(20));
  timers.set(three, at(30));
  timers.set(one, at(40));
  timers.cancel(two);
  EXPECT_FALSE(two.armed());
  timers.fire(at(50));
  EXPECT_EQ(fired, (std::vector<int>{3, 1}));
}

TEST(Timers, ADestroyedTimerIsForgotten) {
  Timers timers;
  auto gone = std::make_unique<Recorder>([] { FAIL() << "it was destroyed"; });
  timers.set(*gone, at(1));
  gone.reset();
  timers.fire(at(2));
  EXPECT_FALSE(timers.next());
}

TEST(Timers, ATimerThatArmsItselfForThePastDoesNotHoldTheLoop) {
  Timers timers;
  int fired = 0;
  std::unique_ptr<Recorder> again;
  again = std::make_unique<Recorder>([&] {
    ++fired;
    timers.set(*again, at(0));
  });
  timers.set(*again, at(0));
  timers.fire(at(5));
  EXPECT_EQ(fired, 1);
}

TEST(Timers, ATimerMayDestroyAnotherThatIsDueToo) {
  Timers timers;
  std::unique_ptr<Recorder> victim = std::make_unique<Recorder>([] { FAIL() << "it was destroyed"; });
  Recorder first([&] { victim.reset(); });
  timers.set(first, at(1));
  timers.set(*victim, at(2));
  timers.fire(at(3));
  EXPECT_FALSE(timers.next());
}

}  // namespace
}  // namespace fairlead::io

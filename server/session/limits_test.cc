// SPDX-License-Identifier: Apache-2.0
#include "session/limits.h"

#include <gtest/gtest.h>

#include <chrono>

namespace fairlead::server {
namespace {

using namespace std::chrono_literals;

TEST(RateLimit, ZeroIsNoLimit) {
  RateLimit limit(0);
  for (int i = 0; i < 100'000; ++i) ASSERT_EQ(limit.take(TimePoint{1h}), Pace::within);
}

TEST(RateLimit, ABurstOfTwoSecondsThenTheRate) {
  RateLimit limit(10);
  TimePoint now{1h};
  int within = 0;
  for (int i = 0; i < 30; ++i) within += limit.take(now) == Pace::within ? 1 : 0;
  EXPECT_EQ(within, 20);
  now += 1s;
  within = 0;
  for (int i = 0; i < 30; ++i) within += limit.take(now) == Pace::within ? 1 : 0;
  EXPECT_EQ(within, 10);
}

TEST(RateLimit, TenTimesAsMuchIsFarOver) {
  RateLimit limit(1);
  const TimePoint now{1h};
  int far_over = 0;
  for (int i = 0; i < 25; ++i) far_over += limit.take(now) == Pace::far_over ? 1 : 0;
  EXPECT_EQ(far_over, 5);
}

TEST(RateLimit, ARateBelowOnePerSecondStillLetsOneThrough) {
  RateLimit limit(0.1);
  TimePoint now{1h};
  EXPECT_EQ(limit.take(now), Pace::within);
  EXPECT_EQ(limit.take(now), Pace::over);
  EXPECT_EQ(limit.take(now + 11s), Pace::within);
}

}  // namespace
}  // namespace fairlead::server

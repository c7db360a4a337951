// SPDX-License-Identifier: Apache-2.0
#include "api/breaker.h"

#include <gtest/gtest.h>
#include <chrono>

namespace fairlead::server {
namespace {

using std::chrono::milliseconds;

TEST(CircuitBreaker, OpensAfterFailuresInARowAndAsksOnceAfterThePause) {
  Breaker breaker(2, milliseconds(100));
  const TimePoint start{};
  breaker.failed(start);
  breaker.succeeded();
  breaker.failed(start);
  EXPECT_TRUE(breaker.allows(start));
  breaker.failed(start);
  EXPECT_TRUE(breaker.open());
  EXPECT_FALSE(breaker.allows(start + milliseconds(99)));
  EXPECT_TRUE(breaker.allows(start + milliseconds(100)));
  EXPECT_FALSE(breaker.allows(start + milliseconds(100))) << "one finds out, others wait";
  breaker.failed(start + milliseconds(150));
  EXPECT_FALSE(breaker.allows(start + milliseconds(249)));
  EXPECT_TRUE(breaker.allows(start + milliseconds(250)));
  breaker.succeeded();
  EXPECT_TRUE(breaker.allows(start + milliseconds(250)));
  EXPECT_EQ(breaker.opened(), 1U);
}

TEST(CircuitBreaker, OtherLimitsDoNotMakeItForget) {
  Breaker breaker(3, milliseconds(100));
  const TimePoint start{};
  breaker.failed(start);
  breaker.configure(2, milliseconds(500));
  EXPECT_TRUE(breaker.allows(start));
  breaker.failed(start);
  EXPECT_TRUE(breaker.open()) << "the second in a row";
  breaker.configure(10, milliseconds(1'000));
  EXPECT_FALSE(breaker.allows(start + milliseconds(499))) << "open it stays, for as long as it was opened for";
  EXPECT_TRUE(breaker.allows(start + milliseconds(500)));
  breaker.configure(0, milliseconds(1'000));
  EXPECT_FALSE(breaker.open()) << "switched off";
  EXPECT_TRUE(breaker.allows(start + milliseconds(500)));
}

}  // namespace
}  // namespace fairlead::server

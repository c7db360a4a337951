// SPDX-License-Identifier: Apache-2.0
#include "app/arrivals.h"

#include <gtest/gtest.h>

namespace fairlead::server {
namespace {

using std::chrono::milliseconds;
constexpr TimePoint start{std::chrono::hours(1)};

TEST(Arrivals, FindRoomAgainOnceSomebodyHasLeft) {
  Arrivals arrivals;
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(arrivals.take(2, 0, start));
    arrivals.entered();
  }
  EXPECT_FALSE(arrivals.take(2, 0, start));
  EXPECT_TRUE(arrivals.take(3, 0, start)) << "a reload allows more";
  EXPECT_TRUE(arrivals.take(0, 0, start)) << "no limit";
  arrivals.left();
  EXPECT_TRUE(arrivals.take(2, 0, start));
}

TEST(Arrivals, ComeNoFasterThanAllowed) {
  Arrivals arrivals;
  EXPECT_TRUE(arrivals.take(0, 2, start));
  EXPECT_TRUE(arrivals.take(0, 2, start));
  EXPECT_FALSE(arrivals.take(0, 2, start));
  EXPECT_TRUE(arrivals.take(0, 2, start + milliseconds(500)));
  EXPECT_FALSE(arrivals.take(0, 2, start + milliseconds(501)));
  EXPECT_TRUE(arrivals.take(0, 0, start + milliseconds(501)));
}

}  // namespace
}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
#include "app/arrivals.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace fairlead::server {
namespace {

using std::chrono::milliseconds;
constexpr TimePoint start{std::chrono::hours(1)};

TEST(Arrivals, FindRoomAgainOnceSomebodyHasLeft) {
  Arrivals arrivals;
  auto first = arrivals.take(2, 0, start);
  const auto second = arrivals.take(2, 0, start);
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(arrivals.take(2, 0, start));
  EXPECT_TRUE(arrivals.take(3, 0, start)) << "a reload allows more";
  EXPECT_TRUE(arrivals.take(0, 0, start)) << "no limit";
  EXPECT_EQ(arrivals.here(), 2U);
  first.reset();
  EXPECT_TRUE(arrivals.take(2, 0, start));
}

TEST(Arrivals, OfAStormOnlyAsManyComeInAsThereIsRoom) {
  std::vector<std::string> lines;
  Arrivals arrivals([&](LogLevel, std::string_view line) { lines.emplace_back(line); });
  std::vector<std::shared_ptr<const void>> places;
  for (int i = 0; i < 1'000; ++i) {
    if (auto place = arrivals.take(10, 0, start)) places.push_back(std::move(place));
  }
  EXPECT_EQ(places.size(), 10U);
  EXPECT_EQ(arrivals.metrics().samples.at(0).value, 990);
  EXPECT_EQ(lines, std::vector<std::string>{"a client was turned away, the last by client.connection_limit"});
  EXPECT_FALSE(arrivals.take(10, 0, start + Arrivals::silence));
  EXPECT_EQ(lines.back(), "990 clients were turned away, the last by client.connection_limit");
}

TEST(Arrivals, MayLeaveAfterTheNodeHasGone) {
  std::shared_ptr<const void> place;
  {
    Arrivals arrivals;
    place = arrivals.take(1, 0, start);
  }
  place.reset();
}

TEST(Arrivals, ComeNoFasterThanAllowed) {
  Arrivals arrivals;
  EXPECT_TRUE(arrivals.take(0, 2, start));
  EXPECT_TRUE(arrivals.take(0, 2, start));
  EXPECT_FALSE(arrivals.take(0, 2, start));
  EXPECT_TRUE(arrivals.take(0, 2, start + milliseconds(500)));
  EXPECT_FALSE(arrivals.take(0, 2, start + milliseconds(501)));
  EXPECT_TRUE(arrivals.take(0, 0, start + milliseconds(501)));
  EXPECT_EQ(arrivals.metrics().samples.at(1).value, 2);
}

}  // namespace
}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
#include "session/missed_cache.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fairlead::server {
namespace {

std::vector<PublicationPtr> publications(std::uint64_t first, std::uint64_t last, std::size_t bytes = 1) {
  std::vector<PublicationPtr> all;
  for (std::uint64_t offset = first; offset <= last; ++offset) {
    Publication one;
    one.offset = offset;
    one.data = std::string(bytes, '1');
    all.push_back(std::make_shared<const Publication>(std::move(one)));
  }
  return all;
}

struct MissedCacheTest : ::testing::Test {
  int woken = 0;
  MissedCache cache{[this] { ++woken; }};
};

TEST_F(MissedCacheTest, SharesFromTheSecondOneOnWhoAsksForTheSame) {
  EXPECT_EQ(cache.share("a", "e", publications(3, 7)), nullptr);
  const auto second = cache.share("a", "e", publications(3, 7));
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->publications().size(), 5U);
  EXPECT_EQ(second->publications().front()->offset, 3U);
  EXPECT_EQ(cache.share("a", "e", publications(3, 7)), second);
}

TEST_F(MissedCacheTest, AnotherPartOfTheStreamIsNotTheSame) {
  (void)cache.share("a", "e", publications(3, 7));
  ASSERT_NE(cache.share("a", "e", publications(3, 7)), nullptr);
  EXPECT_EQ(cache.share("a", "e", publications(4, 7)), nullptr);
  EXPECT_EQ(cache.share("a", "e", publications(4, 8)), nullptr);
  EXPECT_EQ(cache.share("a", "other", publications(4, 8)), nullptr);
  EXPECT_EQ(cache.share("b", "other", publications(4, 8)), nullptr);
  EXPECT_NE(cache.share("a", "other", publications(4, 8)), nullptr);
}

TEST_F(MissedCacheTest, OneAloneAndWhatIsLargeAreNotKept) {
  (void)cache.share("a", "e", publications(3, 3));
  EXPECT_EQ(cache.share("a", "e", publications(3, 3)), nullptr);
  const auto large = publications(1, 2, MissedCache::most_bytes / 2 + 1);
  (void)cache.share("b", "e", large);
  EXPECT_EQ(cache.share("b", "e", large), nullptr);
  const auto fitting = publications(1, 2, MissedCache::most_bytes / 2 - MissedCache::bytes_around_each);
  (void)cache.share("c", "e", fitting);
  EXPECT_NE(cache.share("c", "e", fitting), nullptr);
}

TEST_F(MissedCacheTest, HoldsABoundedNumberOfChannels) {
  for (std::size_t i = 0; i < MissedCache::most_channels + 1; ++i)
    (void)cache.share(std::to_string(i), "e", publications(1, 2));
  EXPECT_EQ(cache.size(), MissedCache::most_channels);
  EXPECT_NE(cache.share("0", "e", publications(1, 2)), nullptr);
  EXPECT_EQ(cache.share(std::to_string(MissedCache::most_channels), "e", publications(1, 2)), nullptr);
}

TEST_F(MissedCacheTest, ForgetsWhatNobodyAskedForBetweenTwoSweeps) {
  (void)cache.share("a", "e", publications(1, 2));
  (void)cache.share("b", "e", publications(1, 2));
  EXPECT_EQ(woken, 1);
  EXPECT_TRUE(cache.sweep());
  EXPECT_EQ(cache.size(), 2U);
  (void)cache.share("b", "e", publications(1, 2));
  EXPECT_TRUE(cache.sweep());
  EXPECT_EQ(cache.size(), 1U);
  EXPECT_FALSE(cache.sweep());
  EXPECT_EQ(woken, 1);
  (void)cache.share("a", "e", publications(1, 2));
  EXPECT_EQ(woken, 2) << "what was empty has something again";
}

}  // namespace
}  // namespace fairlead::server

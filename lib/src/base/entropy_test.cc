// SPDX-License-Identifier: Apache-2.0
#include "base/entropy.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace fairlead {
namespace {

TEST(SystemEntropy, DoesNotRepeatItselfAcrossItsReadAheadPages) {
  SystemEntropy entropy;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 5000; ++i) seen.insert(entropy.next_u64());
  EXPECT_EQ(seen.size(), 5000U);
}

TEST(SystemEntropy, FillsAnySizeWhole) {
  SystemEntropy entropy;
  std::vector<std::byte> large(10'000);
  entropy.fill(large);
  std::array<int, 256> count{};
  for (const std::byte b : large) ++count.at(std::to_integer<std::size_t>(b));
  for (const int times : count) EXPECT_GT(times, 5) << "10,000 random bytes hold each value about 39 times";
}

TEST(SeededEntropy, RepeatsForTheSameSeedOnly) {
  SeededEntropy a(1);
  SeededEntropy b(1);
  SeededEntropy c(2);
  const auto first = a.next_u64();
  EXPECT_EQ(first, b.next_u64());
  EXPECT_NE(first, c.next_u64());
}

}  // namespace
}  // namespace fairlead

// SPDX-License-Identifier: Apache-2.0
#include "app/latency.h"

#include <gtest/gtest.h>

namespace fairlead::server {
namespace {

using std::chrono::nanoseconds;

TEST(Latencies, KnowNothingBeforeTheFirst) { EXPECT_EQ(Latencies().percentile(0.5), std::nullopt); }

TEST(Latencies, ArePreciseToAnEighth) {
  for (std::int64_t ns : {0LL, 1LL, 7LL, 8LL, 9LL, 1'000LL, 123'456LL, 10'000'000LL, 3'600'000'000'000LL}) {
    Latencies latencies;
    latencies.add(nanoseconds(ns));
    const double got = latencies.percentile(0.99).value_or(-1) * 1e9;
    EXPECT_GE(got + 1e-3, static_cast<double>(ns));
    EXPECT_LE(got, static_cast<double>(ns) * 1.13 + 1) << ns;
  }
}

TEST(Latencies, TellPercentilesAndSums) {
  Latencies latencies;
  for (int i = 1; i <= 1000; ++i) latencies.add(std::chrono::microseconds(i));
  EXPECT_NEAR(latencies.percentile(0.5).value_or(0), 500e-6, 70e-6);
  EXPECT_NEAR(latencies.percentile(0.99).value_or(0), 990e-6, 130e-6);
  EXPECT_NEAR(latencies.sum_seconds(), 500500e-6, 1e-6);
  EXPECT_NEAR(static_cast<double>(latencies.within(250'000)), 250, 35);
}

}  // namespace
}  // namespace fairlead::server

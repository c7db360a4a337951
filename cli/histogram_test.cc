// SPDX-License-Identifier: Apache-2.0
#include "histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace fairlead::cli {
namespace {

using namespace std::chrono_literals;
using Nanoseconds = Histogram::Nanoseconds;

TEST(Histogram, IsZeroWhileEmpty) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.min(), 0ns);
  EXPECT_EQ(histogram.max(), 0ns);
  EXPECT_EQ(histogram.mean(), 0ns);
  EXPECT_EQ(histogram.percentile(99.9), 0ns);
}

TEST(Histogram, KnowsSmallValuesExactly) {
  Histogram histogram;
  for (int value = 1; value <= 2000; ++value) histogram.record(Nanoseconds{value});
  EXPECT_EQ(histogram.percentile(0), 1ns);
  EXPECT_EQ(histogram.percentile(50), 1000ns);
  EXPECT_EQ(histogram.percentile(99), 1980ns);
  EXPECT_EQ(histogram.percentile(99.9), 1998ns);
  EXPECT_EQ(histogram.percentile(100), 2000ns);
  EXPECT_EQ(histogram.mean(), 1000ns);
}

TEST(Histogram, KeepsThreeSignificantDigitsFromAMicrosecondToAnHour) {
  for (double value = 1e3; value <= 3.6e12; value *= 1.0371) {
    const Nanoseconds recorded{static_cast<Nanoseconds::rep>(value)};
    Histogram histogram;
    histogram.record(recorded);
    histogram.record(Histogram::longest);  // so that the first is not rounded to the maximum
    const double error = std::abs(static_cast<double>((histogram.percentile(50) - recorded).count()));
    ASSERT_LE(error, 0.001 * value) << value << " ns";
    ASSERT_GE(histogram.percentile(50), recorded) << value << " ns";
  }
}

TEST(Histogram, KeepsPercentilesInOrderAcrossEveryPowerOfTwo) {
  for (int power = 0; power < 41; ++power) {
    const auto edge = Nanoseconds::rep{1} << power;
    Histogram histogram;
    for (const auto value : {edge - 1, edge, edge + 1}) histogram.record(Nanoseconds{value});
    EXPECT_LE(histogram.percentile(1), histogram.percentile(50)) << edge;
    EXPECT_LE(histogram.percentile(50), histogram.percentile(100)) << edge;
    EXPECT_EQ(histogram.min(), Nanoseconds{edge - 1});
    EXPECT_EQ(histogram.max(), Nanoseconds{edge + 1});
  }
}

TEST(Histogram, AgreesWithSortedValues) {
  std::mt19937_64 random{20};  // NOLINT(cert-msc32-c,cert-msc51-cpp,bugprone-random-generator-seed): repeatable
  std::lognormal_distribution<double> latency{11.0, 2.0};
  Histogram histogram;
  std::vector<double> values;
  for (int i = 0; i < 50'000; ++i) {
    const auto value = static_cast<Nanoseconds::rep>(latency(random));
    histogram.record(Nanoseconds{value});
    values.push_back(static_cast<double>(value));
  }
  std::ranges::sort(values);
  for (const double percent : {50.0, 90.0, 99.0, 99.9}) {
    const auto rank = static_cast<std::size_t>(std::lround(percent * 500)) - 1;
    const auto found = static_cast<double>(histogram.percentile(percent).count());
    EXPECT_NEAR(found, values[rank], 0.001 * values[rank] + 1) << percent;
  }
}

TEST(Histogram, CountsTooLongAsAnHourAndNegativeAsZero) {
  Histogram histogram;
  histogram.record(1h);
  EXPECT_EQ(histogram.clamped(), 0U);
  histogram.record(1h + 1ns);
  histogram.record(30h);
  histogram.record(-5ns);
  EXPECT_EQ(histogram.clamped(), 2U);
  EXPECT_EQ(histogram.count(), 4U);
  EXPECT_EQ(histogram.max(), 1h);
  EXPECT_EQ(histogram.min(), 0ns);
}

TEST(Histogram, MergesLikeRecordingEverythingInOne) {
  Histogram one;
  Histogram two;
  Histogram all;
  for (int i = 1; i < 5'000; ++i) {
    const Nanoseconds value{i * 977LL};
    (i % 3 == 0 ? one : two).record(value);
    all.record(value);
  }
  one.merge(two);
  one.merge(Histogram{});
  EXPECT_EQ(one.count(), all.count());
  EXPECT_EQ(one.min(), all.min());
  EXPECT_EQ(one.max(), all.max());
  EXPECT_EQ(one.mean(), all.mean());
  for (const double percent : {1.0, 50.0, 99.9}) EXPECT_EQ(one.percentile(percent), all.percentile(percent));
}

TEST(Histogram, RecordsRepeatsAtOnceAndForgetsOnClear) {
  Histogram histogram;
  histogram.record(10us, 99);
  histogram.record(1s, 1);
  histogram.record(5s, 0);
  EXPECT_EQ(histogram.count(), 100U);
  EXPECT_LE(histogram.percentile(99), 10'010ns);
  EXPECT_EQ(histogram.percentile(100), 1s);
  histogram.clear();
  EXPECT_EQ(histogram.count(), 0U);
  histogram.record(3us);
  EXPECT_EQ(histogram.min(), 3us);
  EXPECT_EQ(histogram.max(), 3us);
}

}  // namespace
}  // namespace fairlead::cli

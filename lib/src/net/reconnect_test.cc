// SPDX-License-Identifier: Apache-2.0
#include <fairlead/client.h>

#include <gtest/gtest.h>

namespace fairlead {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr double almost_one = 0.999'999;

TEST(ReconnectDelay, CeilingDoublesUpToTheLongest) {
  const ReconnectOptions options{.first_delay = milliseconds(500), .longest_delay = seconds(30)};
  EXPECT_NEAR(static_cast<double>(reconnect_delay(options, 0, false, {}, almost_one).count()), 500, 1);
  EXPECT_NEAR(static_cast<double>(reconnect_delay(options, 3, false, {}, almost_one).count()), 4'000, 1);
  EXPECT_NEAR(static_cast<double>(reconnect_delay(options, 50, false, {}, almost_one).count()), 30'000, 1);
}

TEST(ReconnectDelay, IsDrawnFromTheWholeRange) {  // "full jitter": nobody comes back in a wave
  const ReconnectOptions options;
  EXPECT_EQ(reconnect_delay(options, 4, false, {}, 0.0), milliseconds(0));
  EXPECT_EQ(reconnect_delay(options, 4, false, {}, 0.5), milliseconds(4'000));
}

TEST(ReconnectDelay, ARestartSpreadsClientsWiderFromTheFirstAttemptOn) {  // 1012, 1013
  const ReconnectOptions options{.restart_delay = seconds(5)};
  EXPECT_EQ(reconnect_delay(options, 0, true, {}, 0.5), milliseconds(2'500));
}

TEST(ReconnectDelay, NeverShorterThanRetryAfter) {
  const ReconnectOptions options;
  EXPECT_EQ(reconnect_delay(options, 0, false, seconds(7), 0.0), seconds(7));
  EXPECT_GE(reconnect_delay(options, 2, false, seconds(7), 0.7), seconds(7));
}

}  // namespace
}  // namespace fairlead

// SPDX-License-Identifier: Apache-2.0
#include "config/units.h"

#include <gtest/gtest.h>

namespace fairlead::server::config {
namespace {

using std::chrono::milliseconds;

TEST(Durations, AreReadAsPeopleWriteThem) {
  EXPECT_EQ(parse_duration("500ms"), milliseconds(500));
  EXPECT_EQ(parse_duration("10s"), milliseconds(10'000));
  EXPECT_EQ(parse_duration("1m30s"), milliseconds(90'000));
  EXPECT_EQ(parse_duration("720h"), milliseconds(720LL * 3'600'000));
  EXPECT_EQ(parse_duration("1.5s"), milliseconds(1500));
  EXPECT_EQ(parse_duration("1h2m3s4ms"), milliseconds(3'723'004));
  EXPECT_EQ(parse_duration("0"), milliseconds(0));
  EXPECT_EQ(parse_duration("0s"), milliseconds(0));
}

TEST(Durations, RefuseWhatIsNone) {
  for (const char* text : {"", "10", "s", "10 s", "-1s", "+1s", "1s1s", "1s1m", "1e3s", "1..5s", ".s", "10S", "1d",
                           "1s ", "99999999999999h", "nans", "infs", "0x10s"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(Durations, ComeBackAsTheyWere) {
  for (const long long count :
       {0LL, 1LL, 999LL, 1000LL, 1500LL, 60'000LL, 90'000LL, 3'600'000LL, 3'661'000LL, 2'592'000'000LL})
    EXPECT_EQ(parse_duration(duration_text(milliseconds(count))), milliseconds(count)) << count;
  EXPECT_EQ(duration_text(milliseconds(90'000)), "1m30s");
}

TEST(Sizes, AreReadInPowersOf1024) {
  EXPECT_EQ(parse_bytes("65536"), 65'536U);
  EXPECT_EQ(parse_bytes("64KiB"), 65'536U);
  EXPECT_EQ(parse_bytes("64K"), 65'536U);
  EXPECT_EQ(parse_bytes("2GiB"), 2ULL * 1024 * 1024 * 1024);
}

TEST(Sizes, RefuseWhatIsNone) {
  for (const char* text : {"", "K", "-1", "1.5M", "64kib", "64KB", "64 KiB", "99999999999999999999", "17179869184GiB"})
    EXPECT_FALSE(parse_bytes(text)) << text;
}

TEST(Sizes, ComeBackAsTheyWere) {
  for (const std::size_t bytes : {0UL, 1UL, 1023UL, 1024UL, 65'536UL, 1'048'576UL, 1'048'577UL})
    EXPECT_EQ(parse_bytes(bytes_text(bytes)), bytes);
}

}  // namespace
}  // namespace fairlead::server::config

// SPDX-License-Identifier: Apache-2.0
#include "http1/http_date.h"

#include <gtest/gtest.h>

namespace fairlead::http1 {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

TEST(HttpDate, ThreeFormsOfOneMoment) {
  const sys_seconds moment{seconds(784111777)};
  EXPECT_EQ(format_http_date(moment), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), moment);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), moment);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), moment);
}

TEST(HttpDate, RoundTripOverFiftyYears) {
  for (long long at = 0; at < 1'600'000'000; at += 8'640'007) {
    const sys_seconds moment{seconds(at)};
    EXPECT_EQ(parse_http_date(format_http_date(moment)), moment) << at;
  }
  EXPECT_EQ(format_http_date(sys_seconds(seconds(5))), "Thu, 01 Jan 1970 00:00:05 GMT");
}

TEST(HttpDate, RefusesWhatIsNoDate) {
  for (const auto* text :
       {"", "0", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 XXX 1994 08:49:37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov +994 08:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT", "Sun Nov 32 08:49:37 1994", ", ", ", GMT"}) {
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace fairlead::http1

// SPDX-License-Identifier: Apache-2.0
#include <fairlead/close.h>
#include <fairlead/error.h>

#include <gtest/gtest.h>

namespace fairlead {
namespace {

TEST(Error, ReadsAsNameAndSentence) {
  EXPECT_EQ(to_string(Error{Errc::frame_not_masked, "frame 3"}), "frame_not_masked: frame 3");
  EXPECT_EQ(to_string(Error{Errc::closed, ""}), "closed");
}

TEST(CloseCode, OnlyCodesThatTheRfcAllowsMayBeSent) {
  // RFC 6455 7.4.1, 7.4.2 and the IANA registry (1012–1014).
  for (int code = 0; code <= 65'535; ++code) {
    const bool registered = code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
    const bool application = code >= 3000 && code <= 4999;
    EXPECT_EQ(may_be_sent(static_cast<CloseCode>(code)), registered || application) << code;
  }
}

}  // namespace
}  // namespace fairlead

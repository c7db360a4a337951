// SPDX-License-Identifier: Apache-2.0
#include "text/authority.h"

#include <gtest/gtest.h>

namespace fairlead::text {
namespace {

TEST(Authority, NamesAndAddressesWithAndWithoutPort) {
  EXPECT_EQ(parse_authority("Example.ORG"), (Authority{"example.org", std::nullopt}));
  EXPECT_EQ(parse_authority("example.org:8443"), (Authority{"example.org", 8443}));
  EXPECT_EQ(parse_authority("example.org:"), (Authority{"example.org", std::nullopt}));
  EXPECT_EQ(parse_authority("127.0.0.1:1"), (Authority{"127.0.0.1", 1}));
  EXPECT_EQ(parse_authority("[::1]"), (Authority{"::1", std::nullopt}));
  EXPECT_EQ(parse_authority("[2001:DB8::1]:65535"), (Authority{"2001:db8::1", 65535}));
}

TEST(Authority, RefusesWhatNoHostLooksLike) {
  for (const auto* text :
       {"",    ":80", "a b", "a/b",   "a@b",     "a,b",     "a:b",       "a:65536", "a:-1",      "a:80:81", "[::1",
        "::1", "[]",  "[1]", "[::g]", "[::1]80", "[::1]:x", "ex%61mple", "a\tb",    "h\xc3\xa9", "a?b",     "a#b"}) {
    EXPECT_EQ(parse_authority(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_authority(std::string_view("a\0b", 3)), std::nullopt);
}

}  // namespace
}  // namespace fairlead::text

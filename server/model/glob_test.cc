// SPDX-License-Identifier: Apache-2.0
#include "model/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace fairlead::server {
namespace {

bool matches(std::string_view pattern, std::string_view text) {
  return matches_glob(pattern, text, LetterCase::matters);
}

TEST(Globs, StandForWhatTheySay) {
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("*", "https://any.example"));
  EXPECT_TRUE(matches("https://*.example.org", "https://a.example.org"));
  EXPECT_FALSE(matches("https://*.example.org", "https://example.org"));
  EXPECT_FALSE(matches("https://*.example.org", "https://a.example.org.evil.net"));
  EXPECT_FALSE(matches("https://*.example.org", "http://a.example.org"));
  EXPECT_TRUE(matches("https://a?.example", "https://ab.example"));
  EXPECT_FALSE(matches("https://a?.example", "https://a.example"));
  EXPECT_TRUE(matches("a*b*c", "aXbYbZc"));
  EXPECT_FALSE(matches("a*b*c", "aXbYbZ"));
  EXPECT_TRUE(matches("", ""));
  EXPECT_FALSE(matches("", "x"));
}

TEST(Globs, TakeAQuestionMarkAsItIsWhereAStarStandsAlone) {
  const auto matches_star = [](std::string_view pattern, std::string_view text) {
    return matches_glob(pattern, text, LetterCase::matters, Wildcards::star_alone);
  };
  EXPECT_TRUE(matches_star("room:*?", "room:what?"));
  EXPECT_FALSE(matches_star("room:*?", "room:what"));
  EXPECT_FALSE(matches_star("room:?", "room:1"));
}

TEST(Globs, DistinguishLettersWhereTheirCaseMatters) {
  EXPECT_FALSE(matches("news:*", "News:sports"));
  EXPECT_FALSE(matches("*:Sports", "news:sports"));
  EXPECT_TRUE(matches_glob("https://*.example.org", "HTTPS://A.b.Example.org", LetterCase::ignored));
  EXPECT_TRUE(matches_glob("NEWS:*z", "news:Z", LetterCase::ignored));
  EXPECT_FALSE(matches_glob("a[", "a{", LetterCase::ignored)) << "these are no letters";
}

TEST(Globs, AreQuickOnWhatNearlyMatches) { EXPECT_FALSE(matches("*a*a*a*a*a*a*a*a*a*a*b", std::string(20'000, 'a'))); }

}  // namespace
}  // namespace fairlead::server

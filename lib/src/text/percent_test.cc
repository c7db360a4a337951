// SPDX-License-Identifier: Apache-2.0
#include "text/percent.h"

#include <gtest/gtest.h>

namespace fairlead::text {
namespace {

TEST(Percent, DecodesPairsOfDigits) {
  EXPECT_EQ(decode_percent("a%20b%2Fc%2f"), "a b/c/");
  EXPECT_EQ(decode_percent("%E2%82%AC"), "\xE2\x82\xAC");
  EXPECT_EQ(decode_percent(""), "");
}

TEST(Percent, RefusesHalfAPair) {
  for (const auto* text : {"%", "%4", "%4g", "%g4", "a%", "%%41", "% 41"})
    EXPECT_EQ(decode_percent(text), std::nullopt);
}

TEST(Path, DotSegmentsNeverLeaveTheRoot) {
  const std::pair<std::string_view, std::string_view> paths[] = {
      {"/", "/"},
      {"/a", "/a"},
      {"/a/", "/a/"},
      {"/a/b/../c", "/a/c"},
      {"/a/./b/.", "/a/b/"},
      {"/a/..", "/"},
      {"/..", "/"},
      {"/../../etc/passwd", "/etc/passwd"},
      {"/%2e%2e/%2E%2e/etc/passwd", "/etc/passwd"},
      {"/a/%2e%2e/b", "/b"},
      {"/a//b", "/a//b"},
      {"/...", "/..."},
      {"/a%20b/%C3%A9", "/a b/\xC3\xA9"},
      {"/%252e%252e/", "/%2e%2e/"},  // decoded once, never twice
  };
  for (const auto& [raw, decoded] : paths) EXPECT_EQ(decode_path(raw), decoded) << raw;
}

TEST(Path, RefusesWhatMeansTwoThings) {
  for (const auto* path :
       {"", "a", "*", "/%2f", "/a%2Fb", "/..%2f..", "/%5c", "/a\\b", "/%00", "/%0d%0a", "/%7f", "/%"}) {
    EXPECT_EQ(decode_path(path), std::nullopt) << path;
  }
}

TEST(Query, FindsADecodedParameter) {
  constexpr std::string_view query = "token=a%2Bb+c&empty&x=1&x=2&=v&na%20me=y";
  EXPECT_EQ(find_query_parameter(query, "token"), "a+b c");
  EXPECT_EQ(find_query_parameter(query, "empty"), "");
  EXPECT_EQ(find_query_parameter(query, "x"), "1");
  EXPECT_EQ(find_query_parameter(query, "na me"), "y");
  EXPECT_EQ(find_query_parameter(query, "tok"), std::nullopt);
  EXPECT_EQ(find_query_parameter("", "a"), std::nullopt);
  EXPECT_EQ(find_query_parameter("a=%zz", "a"), std::nullopt);
}

}  // namespace
}  // namespace fairlead::text

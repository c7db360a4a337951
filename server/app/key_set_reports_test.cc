// SPDX-License-Identifier: Apache-2.0
#include "app/key_set_reports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fairlead::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class KeySetReporting : public testing::Test {
 protected:
  TimePoint now{std::chrono::hours(1)};
  std::vector<std::string> lines;
  KeySetReports reports{[this](LogLevel, std::string_view line) { lines.emplace_back(line); }, [this] { return now; }};
};

TEST_F(KeySetReporting, OneSentenceStandsForAllOfItsSilence) {
  for (int i = 0; i < 10; ++i) reports.note("https://keys.example/", "refused");
  EXPECT_THAT(lines,
              ElementsAre("the set of keys https://keys.example/ is of no use, so tokens that need a new key of it "
                          "are not accepted: refused"));
  now += KeySetReports::silence;
  reports.note("https://keys.example/", "refused");
  EXPECT_EQ(lines.size(), 2U);
  reports.note("https://keys.example/", "");
  reports.note("https://keys.example/", "");
  EXPECT_EQ(lines.size(), 3U);
  EXPECT_THAT(lines.back(), HasSubstr("has come again"));
}

TEST_F(KeySetReporting, WhatComesIsNotWorthAWord) {
  EXPECT_TRUE(reports.metrics().empty());
  reports.note("https://keys.example/", "");
  EXPECT_TRUE(lines.empty());
  const auto families = reports.metrics();
  ASSERT_EQ(families.size(), 2U);
  EXPECT_EQ(families[0].samples.at(0).value, 0);
  EXPECT_EQ(families[1].samples.at(0).value, 0);
}

TEST_F(KeySetReporting, EachSourceIsCounted) {
  reports.note("https://a.example/", "refused");
  reports.note("https://a.example/", "refused");
  reports.note("https://b.example/", "");
  const auto families = reports.metrics();
  ASSERT_EQ(families.at(0).samples.size(), 2U);
  EXPECT_EQ(families[0].samples[0].value, 2);
  EXPECT_EQ(families[1].samples[0].value, 1);
  EXPECT_EQ(families[0].samples[1].value, 0);
}

TEST_F(KeySetReporting, WhatTheConfigurationNamesNoMoreIsForgotten) {
  reports.note("https://old.example/?key=1", "refused");
  reports.note("https://a.example/", "refused");
  reports.follow({"https://a.example/", "https://b.example/"});
  reports.note("https://old.example/?key=1", "refused");  // it was on its way
  reports.note("https://b.example/", "");
  const auto failing = reports.metrics().at(1).samples;
  ASSERT_EQ(failing.size(), 2U);
  EXPECT_EQ(failing[0].labels.at(0).second, "https://a.example/");
  EXPECT_EQ(failing[0].value, 1);
  EXPECT_EQ(failing[1].labels.at(0).second, "https://b.example/");
  EXPECT_EQ(lines.size(), 2U);
  reports.follow({});
  EXPECT_TRUE(reports.metrics().empty());
}

TEST(KeySetReports, NothingSecretOfAnAddressIsSaid) {
  EXPECT_EQ(KeySetReports::source_of("https://me:word@keys.example/a?key=1#x"), "https://keys.example/a");
  EXPECT_EQ(KeySetReports::source_of("https://keys.example/a@b"), "https://keys.example/a@b");
  EXPECT_EQ(KeySetReports::source_of("https://keys.example"), "https://keys.example");
  EXPECT_EQ(KeySetReports::source_of("file:/etc/keys.json"), "file:/etc/keys.json");
}

}  // namespace
}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
#include "app/fault_reports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fairlead::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FaultReporting : public testing::Test {
 protected:
  TimePoint now{std::chrono::hours(1)};
  std::vector<std::string> lines;
  FaultReports reports{[this](LogLevel level, std::string_view line) {
                         EXPECT_EQ(level, LogLevel::error);
                         lines.emplace_back(line);
                       },
                       [this] { return now; }};
  const Fault full{FaultKind::full, "there is no more room"};
};

TEST_F(FaultReporting, OneSentenceStandsForAllOfItsSilence) {
  for (int i = 0; i < 100; ++i) reports.note(full);
  EXPECT_THAT(lines, ElementsAre("the engine refused a call with error 100: there is no more room"));
  now += FaultReports::silence;
  reports.note(full);
  EXPECT_THAT(lines.back(), HasSubstr("refused 100 calls"));
  now += FaultReports::silence - std::chrono::milliseconds(1);
  reports.note(full);
  EXPECT_EQ(lines.size(), 2U);
}

TEST_F(FaultReporting, AnotherKindIsSaidAtOnce) {
  reports.note(full);
  reports.note({FaultKind::corrupt, "the file is damaged"});
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines.back(), HasSubstr("the file is damaged"));
}

TEST_F(FaultReporting, AllAreCounted) {
  for (int i = 0; i < 3; ++i) reports.note(full);
  reports.note({FaultKind::corrupt, ""});
  const MetricFamily family = reports.metrics();
  ASSERT_EQ(family.samples.size(), 2U);
  EXPECT_EQ(family.samples[0].labels.front().second, "full");
  EXPECT_EQ(family.samples[0].value, 3);
  EXPECT_EQ(family.samples[1].value, 1);
}

}  // namespace
}  // namespace fairlead::server

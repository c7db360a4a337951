// SPDX-License-Identifier: Apache-2.0
// The text is read back by a strict parser of the exposition format: every line must be one of its productions.
#include "metrics/prometheus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace fairlead::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Parsed {
  std::map<std::string, std::string> types;   // by family
  std::map<std::string, std::string> values;  // by name and labels as written
};

// Nothing when the text breaks a rule; the rule's place goes into the failure.
Parsed parse(const std::string& text) {
  static const std::regex help(R"(# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (?:[^\\\n]|\\\\|\\n)*)");
  static const std::regex type(R"(# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram))");
  static const std::regex sample(
      R"(([a-zA-Z_:][a-zA-Z0-9_:]*)((?:\{[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*")*\})?) ([-+]?(?:[0-9.]+(?:e[-+]?[0-9]+)?|Inf)|NaN))");
  Parsed parsed;
  EXPECT_TRUE(text.empty() || text.ends_with('\n')) << "the last line must end in a line feed";
  std::istringstream lines(text);
  std::smatch match;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_match(line, match, help)) continue;
    if (std::regex_match(line, match, type)) {
      EXPECT_TRUE(parsed.types.emplace(match[1], match[2]).second) << "two TYPE lines: " << line;
    } else if (std::regex_match(line, match, sample)) {
      EXPECT_TRUE(parsed.values.emplace(match[1].str() + match[2].str(), match[3]).second) << "twice: " << line;
    } else {
      ADD_FAILURE() << "not of the format: " << line;
    }
  }
  return parsed;
}

std::string write(const MetricFamily& family) { return write_prometheus(std::vector{family}); }

TEST(Prometheus, CounterAndGaugeAreOneLineEach) {
  EXPECT_EQ(write(counter("fairlead_messages_total", "Messages.", 3)),
            "# HELP fairlead_messages_total Messages.\n# TYPE fairlead_messages_total counter\n"
            "fairlead_messages_total 3\n");
  const auto parsed = parse(write(gauge("fairlead_clients", "Clients now.", 2.5, {{"transport", "websocket"}})));
  EXPECT_EQ(parsed.types.at("fairlead_clients"), "gauge");
  EXPECT_EQ(parsed.values.at(R"(fairlead_clients{transport="websocket"})"), "2.5");
}

TEST(Prometheus, LabelsAndHelpAreEscaped) {
  const auto text = write(gauge("fairlead_x", "a\\b\nc \"d\"", 1, {{"l", "q\"b\\n\nz"}}));
  EXPECT_THAT(text, HasSubstr("# HELP fairlead_x a\\\\b\\nc \"d\"\n"));
  EXPECT_EQ(parse(text).values.count(R"(fairlead_x{l="q\"b\\n\nz"})"), 1U);
}

TEST(Prometheus, HistogramSumsItsBuckets) {
  MetricFamily family{"fairlead_seconds", "Time.", MetricKind::histogram, {}};
  family.samples.push_back({.labels = {{"method", "publish"}}, .bounds = {0.1, 1}, .counts = {2, 3, 1}, .sum = 4.5});
  const auto parsed = parse(write(family));
  EXPECT_EQ(parsed.values.at(R"(fairlead_seconds_bucket{method="publish",le="0.1"})"), "2");
  EXPECT_EQ(parsed.values.at(R"(fairlead_seconds_bucket{method="publish",le="1"})"), "5");
  EXPECT_EQ(parsed.values.at(R"(fairlead_seconds_bucket{method="publish",le="+Inf"})"), "6");
  EXPECT_EQ(parsed.values.at(R"(fairlead_seconds_count{method="publish"})"), "6");
  EXPECT_EQ(parsed.values.at(R"(fairlead_seconds_sum{method="publish"})"), "4.5");
}

TEST(Prometheus, SpecialNumbersHaveTheirNames) {
  EXPECT_THAT(write(gauge("a", "", std::numeric_limits<double>::infinity())), HasSubstr("a +Inf\n"));
  EXPECT_THAT(write(gauge("a", "", -std::numeric_limits<double>::infinity())), HasSubstr("a -Inf\n"));
  EXPECT_THAT(write(gauge("a", "", std::numeric_limits<double>::quiet_NaN())), HasSubstr("a NaN\n"));
  EXPECT_THAT(write(gauge("a", "", 1e21)), HasSubstr("a 1e+21\n"));
}

TEST(Prometheus, WhatTheFormatCannotExpressIsLeftOut) {
  EXPECT_EQ(write(gauge("1a", "", 1)), "");
  EXPECT_EQ(write(gauge("a b", "", 1)), "");
  EXPECT_EQ(write(gauge("", "", 1)), "");
  EXPECT_EQ(write(gauge("a", "", 1, {{"le", "1"}})), "");
  EXPECT_EQ(write(gauge("a", "", 1, {{"__name__", "1"}})), "");
  EXPECT_EQ(write(gauge("a", "", 1, {{"x-y", "1"}})), "");
  MetricFamily histogram{"h", "", MetricKind::histogram, {{.labels = {}, .bounds = {2, 1}, .counts = {0, 0, 0}}}};
  EXPECT_EQ(write(histogram), "");
  histogram.samples = {{.labels = {}, .bounds = {1, 2}, .counts = {0, 0}}};
  EXPECT_EQ(write(histogram), "");
  EXPECT_EQ(write({"empty", "", MetricKind::gauge, {}}), "");
}

}  // namespace
}  // namespace fairlead::server

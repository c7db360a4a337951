// SPDX-License-Identifier: Apache-2.0
// Metrics as values, and their text for Prometheus (exposition format 0.0.4). Each folder counts in a plain struct of
// its own; the composition root turns these into families when somebody asks.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::server {

enum class MetricKind : std::uint8_t { counter, gauge, histogram };

using MetricLabels = std::vector<std::pair<std::string, std::string>>;  // name, value

// One line; of a histogram, what it counted.
struct MetricSample {
  MetricLabels labels;
  double value = 0;  // counters and gauges
  // Histograms: the buckets' upper bounds, ascending, and how many fell below each (not summed up); one count more than
  // bounds, for what lies above the last.
  std::vector<double> bounds;
  std::vector<std::uint64_t> counts;
  double sum = 0;
};

// `name` is "fairlead_…" by the rules for metric names; counters end in "_total".
struct MetricFamily {
  std::string name, help;
  MetricKind kind = MetricKind::gauge;
  std::vector<MetricSample> samples;
};

// Shorthands for a family of one sample.
[[nodiscard]] MetricFamily counter(std::string name, std::string help, double value, MetricLabels labels = {});
[[nodiscard]] MetricFamily gauge(std::string name, std::string help, double value, MetricLabels labels = {});

// "text/plain; version=0.0.4; charset=utf-8"
inline constexpr std::string_view prometheus_content_type = "text/plain; version=0.0.4; charset=utf-8";

// A family with a name or a label that the format cannot express is left out.
[[nodiscard]] std::string write_prometheus(std::span<const MetricFamily> families);

}  // namespace fairlead::server

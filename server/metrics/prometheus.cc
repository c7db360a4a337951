// SPDX-License-Identifier: Apache-2.0
#include "metrics/prometheus.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>

namespace fairlead::server {
namespace {

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
constexpr std::string_view numerals = "0123456789";

bool is_name(std::string_view name, std::string_view also) {
  return !name.empty() && !numerals.contains(name.front()) && std::ranges::all_of(name, [also](char c) {
    return letters.contains(c) || numerals.contains(c) || also.contains(c);
  });
}

bool is_label(const std::pair<std::string, std::string>& label) {
  return is_name(label.first, "") && !label.first.starts_with("__") && label.first != "le";
}

bool is_expressible(const MetricFamily& family) {
  return is_name(family.name, ":") && std::ranges::all_of(family.samples, [&family](const MetricSample& sample) {
           const bool histogram = family.kind == MetricKind::histogram;
           return std::ranges::all_of(sample.labels, is_label) &&
                  (!histogram ||
                   (sample.counts.size() == sample.bounds.size() + 1 && std::ranges::is_sorted(sample.bounds)));
         });
}

std::string_view type_name(MetricKind kind) {
  switch (kind) {
    case MetricKind::counter:
      return "counter";
    case MetricKind::histogram:
      return "histogram";
    case MetricKind::gauge:
      break;
  }
  return "gauge";
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> digits{};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return {digits.data(), written.ptr};
}

// Label values escape quotes as well, help texts do not.
void append_escaped(std::string_view text, bool quotes, std::string& out) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (c == '\\' || (quotes && c == '"')) out += '\\';
      out += c;
    }
  }
}

struct Line {
  std::string_view name, suffix;
  const MetricLabels& labels;
  std::string_view bound{};  // of a bucket
};

void append_label(std::string_view name, std::string_view value, std::string& out) {
  out += out.back() == '{' ? "" : ",";
  out.append(name).append("=\"");
  append_escaped(value, true, out);
  out += '"';
}

void append(const Line& line, double value, std::string& out) {
  out.append(line.name).append(line.suffix);
  if (!line.labels.empty() || !line.bound.empty()) {
    out += '{';
    for (const auto& [name, label] : line.labels) append_label(name, label, out);
    if (!line.bound.empty()) append_label("le", line.bound, out);
    out += '}';
  }
  out.append(" ").append(number(value)).append("\n");
}

// The format wants sums: how many were at most the bound.
void append_histogram(std::string_view name, const MetricSample& sample, std::string& out) {
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < sample.counts.size(); ++i) {
    below += sample.counts[i];
    const std::string bound = i < sample.bounds.size() ? number(sample.bounds[i]) : "+Inf";
    append({name, "_bucket", sample.labels, bound}, static_cast<double>(below), out);
  }
  append({name, "_sum", sample.labels}, sample.sum, out);
  append({name, "_count", sample.labels}, static_cast<double>(below), out);
}

MetricFamily single(MetricKind kind, std::string name, std::string help, double value, MetricLabels labels) {
  MetricFamily family{std::move(name), std::move(help), kind, {}};
  family.samples.push_back({.labels = std::move(labels), .value = value, .bounds = {}, .counts = {}});
  return family;
}

}  // namespace

MetricFamily counter(std::string name, std::string help, double value, MetricLabels labels) {
  return single(MetricKind::counter, std::move(name), std::move(help), value, std::move(labels));
}

MetricFamily gauge(std::string name, std::string help, double value, MetricLabels labels) {
  return single(MetricKind::gauge, std::move(name), std::move(help), value, std::move(labels));
}

std::string write_prometheus(std::span<const MetricFamily> families) {
  std::string out;
  for (const auto& family : families) {
    if (family.samples.empty() || !is_expressible(family)) continue;
    out.append("# HELP ").append(family.name).append(" ");
    append_escaped(family.help, false, out);
    out.append("\n# TYPE ").append(family.name).append(" ").append(type_name(family.kind)).append("\n");
    for (const auto& sample : family.samples) {
      if (family.kind == MetricKind::histogram) {
        append_histogram(family.name, sample, out);
      } else {
        append({family.name, "", sample.labels}, sample.value, out);
      }
    }
  }
  return out;
}

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
#include "app/fault_reports.h"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace fairlead::server {

FaultReports::FaultReports(LogSink log, std::function<TimePoint()> clock)
    : log_(std::move(log)), clock_(std::move(clock)) {}

void FaultReports::note(const Fault& fault) {
  std::string line;
  {
    const TimePoint now = clock_();
    const std::scoped_lock lock(mutex_);
    Kind& kind = kinds_[fault.kind];
    const bool first = ++kind.all == 1;
    ++kind.unsaid;
    if (!first && now < kind.silent_until) return;
    kind.silent_until = now + silence;
    const std::uint64_t count = std::exchange(kind.unsaid, 0);
    line = fmt::format("the engine refused {} with error 100: {}",
                       count == 1 ? "a call" : fmt::format("{} calls", count), fault.sentence);
  }
  if (log_) log_(LogLevel::error, line);
}

MetricFamily FaultReports::metrics() const {
  MetricFamily family{"fairlead_engine_faults_total", "Calls that the engine refused.", MetricKind::counter, {}};
  const std::scoped_lock lock(mutex_);
  for (const auto& [kind, counted] : kinds_)
    family.samples.push_back({{{"kind", std::string(name(kind))}}, static_cast<double>(counted.all), {}, {}, 0});
  return family;
}

}  // namespace fairlead::server

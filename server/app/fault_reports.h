// SPDX-License-Identifier: Apache-2.0
// What the engine could not do, for the log and the metrics: clients see only error 100 of it. A full disk fails every
// call, so one sentence of a kind stands for all that follow within its silence.
#pragma once

#include "metrics/prometheus.h"
#include "model/fault.h"

#include <fairlead/log.h>
#include <fairlead/time.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

namespace fairlead::server {

// Thread-safe.
class FaultReports {
 public:
  static constexpr std::chrono::seconds silence{10};

  explicit FaultReports(LogSink log, std::function<TimePoint()> clock = Clock::now);

  void note(const Fault& fault);
  // fairlead_engine_faults_total, by kind.
  [[nodiscard]] MetricFamily metrics() const;

 private:
  struct Kind {
    std::uint64_t all = 0, unsaid = 0;
    TimePoint silent_until{};
  };
  LogSink log_;
  std::function<TimePoint()> clock_;
  mutable std::mutex mutex_;
  std::map<FaultKind, Kind> kinds_;
};

}  // namespace fairlead::server

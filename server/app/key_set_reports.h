// SPDX-License-Identifier: Apache-2.0
// Sets of keys that cannot be fetched or read, for the log and the metrics: clients see only that they cannot connect.
// One sentence for a source stands for all failures within its silence.
#pragma once

#include "metrics/prometheus.h"

#include <fairlead/log.h>
#include <fairlead/time.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace fairlead::server {

// Thread-safe.
class KeySetReports {
 public:
  static constexpr std::chrono::seconds silence{60};

  explicit KeySetReports(LogSink log, std::function<TimePoint()> clock = Clock::now);

  // As KeySetReport (auth/tokens.h).
  void note(const std::string& url, const std::string& why);
  // From now on only these addresses are of interest: whatever is known of others, or still comes, is forgotten.
  void follow(const std::vector<std::string>& urls);
  // fairlead_key_set_failures_total and fairlead_key_set_failing, by source.
  [[nodiscard]] std::vector<MetricFamily> metrics() const;
  // An address without what may be secret in it: the query and who asks.
  [[nodiscard]] static std::string source_of(std::string url);

 private:
  struct Source {
    std::uint64_t failures = 0;
    bool failing = false;
    TimePoint silent_until{};
  };
  LogSink log_;
  std::function<TimePoint()> clock_;
  mutable std::mutex mutex_;
  std::optional<std::set<std::string>> followed_;  // none: all
  std::map<std::string, Source> sources_;
};

}  // namespace fairlead::server

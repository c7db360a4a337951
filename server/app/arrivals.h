// SPDX-License-Identifier: Apache-2.0
// How many clients this node takes, and how fast new ones, over all loops: who is turned away comes back later.
#pragma once

#include "metrics/prometheus.h"
#include "session/limits.h"

#include <fairlead/log.h>
#include <fairlead/time.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

namespace fairlead::server {

// Thread-safe.
class Arrivals {
 public:
  static constexpr std::chrono::seconds silence{10};  // one line stands for all who are turned away within it

  explicit Arrivals(LogSink log = {}) : log_(std::move(log)) {}

  // A place for one that comes, taken at once and given back with the last copy. Nothing: there is no room (`limit`, 0:
  // none) or they come too fast (`per_second`, 0: any).
  [[nodiscard]] std::shared_ptr<const void> take(std::size_t limit, double per_second, TimePoint now);
  [[nodiscard]] std::size_t here() const;
  // fairlead_clients_turned_away_total, by the reason.
  [[nodiscard]] MetricFamily metrics() const;

 private:
  struct Counted {
    mutable std::mutex mutex;
    std::size_t here = 0;
  };
  void turn_away(std::uint64_t& count, const char* why, TimePoint now);

  LogSink log_;
  const std::shared_ptr<Counted> counted_ = std::make_shared<Counted>();  // places may outlive this object
  mutable std::mutex mutex_;                                              // of what follows
  double per_second_ = 0;
  TokenBucket bucket_{0, 0};
  std::uint64_t too_many_ = 0, too_fast_ = 0, unsaid_ = 0;
  TimePoint silent_until_{};
  bool has_said_ = false;
};

}  // namespace fairlead::server

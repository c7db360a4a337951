// SPDX-License-Identifier: Apache-2.0
#include "app/arrivals.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace fairlead::server {

std::shared_ptr<const void> Arrivals::take(std::size_t limit, double per_second, TimePoint now) {
  const std::scoped_lock lock(mutex_);
  if (limit > 0 && here() >= limit) {
    turn_away(too_many_, "client.connection_limit", now);
    return nullptr;
  }
  if (per_second > 0 && per_second != per_second_) {
    bucket_ = TokenBucket(per_second, std::max(1.0, per_second));
    per_second_ = per_second;
  }
  if (per_second > 0 && !bucket_.take(now)) {
    turn_away(too_fast_, "client.connection_rate_limit", now);
    return nullptr;
  }
  {
    const std::scoped_lock counting(counted_->mutex);
    ++counted_->here;
  }
  // The place itself is no object: what ends with it is the counting.
  std::shared_ptr<const void> place(counted_.get(), [counted = counted_](const void*) {
    const std::scoped_lock leaving(counted->mutex);
    --counted->here;
  });
  return place;
}

void Arrivals::turn_away(std::uint64_t& count, const char* why, TimePoint now) {
  ++count;
  ++unsaid_;
  if (has_said_ && now < silent_until_) return;
  has_said_ = true;
  silent_until_ = now + silence;
  const std::uint64_t unsaid = std::exchange(unsaid_, 0);
  if (log_) {
    log_(LogLevel::warning, fmt::format("{} turned away, the last by {}",
                                        unsaid == 1 ? "a client was" : fmt::format("{} clients were", unsaid), why));
  }
}

std::size_t Arrivals::here() const {
  const std::scoped_lock lock(counted_->mutex);
  return counted_->here;
}

MetricFamily Arrivals::metrics() const {
  MetricFamily family{"fairlead_clients_turned_away_total",
                      "Clients for whom there was no room, or that came too fast.",
                      MetricKind::counter,
                      {}};
  const std::scoped_lock lock(mutex_);
  family.samples.push_back({{{"limit", "connection_limit"}}, static_cast<double>(too_many_), {}, {}, 0});
  family.samples.push_back({{{"limit", "connection_rate_limit"}}, static_cast<double>(too_fast_), {}, {}, 0});
  return family;
}

}  // namespace fairlead::server

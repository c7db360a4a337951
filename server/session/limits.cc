// SPDX-License-Identifier: Apache-2.0
#include "session/limits.h"

#include <algorithm>
#include <chrono>

namespace fairlead::server {

namespace {

constexpr double burst_seconds = 2;  // what a client that was quiet may ask for at once
constexpr double far_over_times = 10;

}  // namespace

bool TokenBucket::take(TimePoint now) noexcept {
  if (now > filled_) {
    if (filled_ != TimePoint{})
      level_ = std::min(burst_, level_ + per_second_ * std::chrono::duration<double>(now - filled_).count());
    filled_ = now;
  }
  if (level_ < 1) return false;
  level_ -= 1;
  return true;
}

// A rate below one per second still has room for one.
RateLimit::RateLimit(double per_second) noexcept
    : buckets_(per_second > 0 ? std::make_unique<Buckets>(
                                    TokenBucket(per_second, std::max(1.0, per_second * burst_seconds)),
                                    TokenBucket(per_second * far_over_times,
                                                std::max(far_over_times, per_second * burst_seconds * far_over_times)))
                              : nullptr) {}

Pace RateLimit::take(TimePoint now) noexcept {
  if (!buckets_) return Pace::within;
  if (!buckets_->ending.take(now)) return Pace::far_over;
  return buckets_->refusing.take(now) ? Pace::within : Pace::over;
}

}  // namespace fairlead::server

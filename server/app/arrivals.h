// SPDX-License-Identifier: Apache-2.0
// How many clients this node takes, and how fast new ones, over all loops: who is turned away comes back later.
#pragma once

#include "session/limits.h"

#include <fairlead/time.h>

#include <algorithm>
#include <cstddef>
#include <mutex>

namespace fairlead::server {

// Thread-safe.
class Arrivals {
 public:
  // False: there is no room (`limit`, 0: none) or they come too fast (`per_second`, 0: any). Nothing is counted then.
  [[nodiscard]] bool take(std::size_t limit, double per_second, TimePoint now) {
    const std::scoped_lock lock(mutex_);
    if (limit > 0 && here_ >= limit) return false;
    if (per_second > 0 && per_second != per_second_) {
      bucket_ = TokenBucket(per_second, std::max(1.0, per_second));
      per_second_ = per_second;
    }
    return per_second <= 0 || bucket_.take(now);
  }
  void entered() {
    const std::scoped_lock lock(mutex_);
    ++here_;
  }
  void left() {
    const std::scoped_lock lock(mutex_);
    --here_;
  }

 private:
  std::mutex mutex_;
  std::size_t here_ = 0;  // connected, in the protocol's sense
  double per_second_ = 0;
  TokenBucket bucket_{0, 0};
};

}  // namespace fairlead::server

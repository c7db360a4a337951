// SPDX-License-Identifier: Apache-2.0
// A token bucket in one time point: so many per second, with a burst of twice that.
#pragma once

#include <fairlead/limits.h>
#include <fairlead/time.h>

#include <algorithm>
#include <cstddef>

namespace fairlead {

// The bucket is stored as the moment at which it will be full again: each taken token moves it one interval into the
// future, and it may lie at most a whole burst ahead of now.
class Rate {
 public:
  // False when the bucket is empty. A rate of zero refuses everything; `unlimited` nothing.
  [[nodiscard]] bool take(std::size_t per_second, TimePoint now) noexcept {
    if (per_second == unlimited) return true;
    if (per_second == 0) return false;
    constexpr Duration second = std::chrono::seconds(1);
    const auto count = static_cast<Duration::rep>(std::min<std::size_t>(per_second, max_per_second));
    full_at_ = std::max(full_at_, now) + second / count;
    return full_at_ - now <= 2 * second;
  }

 private:
  static constexpr std::size_t max_per_second = 1'000'000'000;  // one each nanosecond

  TimePoint full_at_{};
};

}  // namespace fairlead

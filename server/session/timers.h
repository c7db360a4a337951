// SPDX-License-Identifier: Apache-2.0
// Everything a session waits for by time: one table, so that it needs one deadline.
#pragma once

#include <fairlead/time.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace fairlead::server {

enum class Timer : std::uint8_t {
  stale,             // connect has not come
  ping,              // the next one is to be sent
  pong,              // the answer to the last one has not come
  connection,        // the connection expires, or its grace ends
  subscription,      // the next subscription expires, or its grace ends
  presence,          // the memberships are to be renewed
  position,          // the positions are to be compared with the engine's
  position_recheck,  // what lagged behind has had time to arrive
  sampling,          // a held publication may be sent
};

class Timers {
 public:
  Timers() noexcept { clear(); }
  void set(Timer timer, TimePoint at) noexcept { at_[index(timer)] = at; }
  void set_earlier(Timer timer, TimePoint at) noexcept { at_[index(timer)] = std::min(at_[index(timer)], at); }
  void clear(Timer timer) noexcept { at_[index(timer)] = never; }
  void clear() noexcept { at_.fill(never); }
  [[nodiscard]] bool is_set(Timer timer) const noexcept { return at_[index(timer)] != never; }

  [[nodiscard]] std::optional<TimePoint> earliest() const noexcept {
    const TimePoint at = *std::min_element(at_.begin(), at_.end());
    return at == never ? std::nullopt : std::optional(at);
  }
  // One that is due; it is no longer set then.
  [[nodiscard]] std::optional<Timer> take_due(TimePoint now) noexcept {
    const auto first = std::min_element(at_.begin(), at_.end());
    if (*first == never || *first > now) return std::nullopt;
    *first = never;
    return static_cast<Timer>(first - at_.begin());
  }

 private:
  static constexpr TimePoint never = TimePoint::max();
  static constexpr std::size_t count = static_cast<std::size_t>(Timer::sampling) + 1;
  static constexpr std::size_t index(Timer timer) noexcept { return static_cast<std::size_t>(timer); }
  std::array<TimePoint, count> at_{};
};

}  // namespace fairlead::server

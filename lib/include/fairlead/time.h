// SPDX-License-Identifier: Apache-2.0
// The one clock of the library. State machines never read it: time is a parameter.
#pragma once

#include <chrono>

namespace fairlead {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

// Whoever waits for longer waits for ever: times that are lifted (`Duration::max()`) count as this.
inline constexpr std::chrono::hours longest_wait{24 * 365};

}  // namespace fairlead

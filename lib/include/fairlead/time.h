// SPDX-License-Identifier: Apache-2.0
// The one clock of the library. State machines never read it: time is a parameter.
#pragma once

#include <chrono>

namespace fairlead {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

}  // namespace fairlead

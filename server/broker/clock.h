// SPDX-License-Identifier: Apache-2.0
// The clock of an engine. It is the wall's, because what a durable engine keeps expires while no process runs; it is
// handed in, so that tests move it instead of sleeping.
#pragma once

#include "model/publication.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>

namespace fairlead::server {

using WallClock = std::function<WallTime()>;  // thread-safe

[[nodiscard]] inline WallClock system_wall_clock() {
  return [] { return std::chrono::system_clock::now(); };
}

// A longer time to live means "for ever"; it keeps sums of times far from where they would wrap.
inline constexpr std::chrono::milliseconds longest_ttl{std::chrono::hours(24 * 365 * 100)};

[[nodiscard]] inline WallTime expiry(WallTime now, std::chrono::milliseconds ttl) {
  return now + std::clamp(ttl, std::chrono::milliseconds{0}, longest_ttl);
}

[[nodiscard]] inline std::int64_t unix_ms(WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace fairlead::server

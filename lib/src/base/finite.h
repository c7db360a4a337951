// SPDX-License-Identifier: Apache-2.0
// Times that an application lifts (milliseconds::max()) must not overflow the clock they are added to.
#pragma once

#include <fairlead/limits.h>
#include <fairlead/time.h>

#include <algorithm>
#include <chrono>

namespace fairlead {

[[nodiscard]] inline std::chrono::milliseconds finite(std::chrono::milliseconds wait) noexcept {
  return std::min<std::chrono::milliseconds>(wait, longest_wait);
}

[[nodiscard]] inline Duration finite(Duration wait) noexcept { return std::min<Duration>(wait, longest_wait); }

[[nodiscard]] inline Limits finite(Limits limits) noexcept {
  for (auto* time : {&limits.tls_handshake_time, &limits.http_head_time, &limits.http_idle_time, &limits.accept_time,
                     &limits.idle_time, &limits.close_time, &limits.write_stall_time}) {
    *time = finite(*time);
  }
  return limits;
}

}  // namespace fairlead

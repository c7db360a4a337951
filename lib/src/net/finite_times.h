// SPDX-License-Identifier: Apache-2.0
// The times of a connection attempt as they may be added to a clock.
#pragma once

#include "base/finite.h"

#include <fairlead/client.h>

namespace fairlead::net {

[[nodiscard]] inline ConnectTimes finite(ConnectTimes times) noexcept {
  for (auto* time : {&times.dns, &times.tcp, &times.next_address, &times.tls, &times.handshake, &times.total}) {
    *time = fairlead::finite(*time);
  }
  return times;
}

}  // namespace fairlead::net

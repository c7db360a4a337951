// SPDX-License-Identifier: Apache-2.0
// Sentences that all engines answer with.
#pragma once

#include "model/fault.h"

#include <expected>

namespace fairlead::server {

[[nodiscard]] inline std::unexpected<Fault> stopped() {
  return std::unexpected(Fault{FaultKind::unavailable, "the engine is not running"});
}
[[nodiscard]] inline std::unexpected<Fault> not_acknowledgeable() {
  return std::unexpected(Fault{FaultKind::invalid, "this sequence was acknowledged before, or does not exist yet"});
}

}  // namespace fairlead::server

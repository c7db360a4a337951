// SPDX-License-Identifier: Apache-2.0
#include "model/fault.h"

namespace fairlead::server {

std::string_view name(FaultKind kind) noexcept {
  switch (kind) {
    case FaultKind::unavailable:
      return "unavailable";
    case FaultKind::timed_out:
      return "timed_out";
    case FaultKind::full:
      return "full";
    case FaultKind::corrupt:
      return "corrupt";
    case FaultKind::invalid:
      return "invalid";
    case FaultKind::unsupported:
      return "unsupported";
    case FaultKind::internal:
      return "internal";
  }
  return "internal";
}

}  // namespace fairlead::server

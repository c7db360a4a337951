// SPDX-License-Identifier: Apache-2.0
#include "ws/input.h"

#include "base/assert.h"

#include <algorithm>

namespace fairlead::ws {

void Input::receive(MutableBytes in) {
  FAIRLEAD_ASSERT(fresh_.empty());
  fresh_ = in;
}

void Input::retain() {
  kept_.append(fresh_);
  fresh_ = {};
  kept_.release_if_empty();
}

void Input::discard() noexcept {
  kept_.clear();
  kept_.release_if_empty();
  fresh_ = {};
}

bool Input::gather(std::size_t bytes) {
  if (kept_.empty()) return fresh_.size() >= bytes;
  if (kept_.size() >= bytes) return true;
  const std::size_t step = std::min(bytes - kept_.size(), fresh_.size());
  kept_.append(fresh_.first(step));
  fresh_ = fresh_.subspan(step);
  return kept_.size() >= bytes;
}

void Input::take(std::size_t bytes) {
  if (kept_.empty()) {
    FAIRLEAD_ASSERT(bytes <= fresh_.size());
    fresh_ = fresh_.subspan(bytes);
  } else {
    kept_.consume(bytes);
  }
}

}  // namespace fairlead::ws

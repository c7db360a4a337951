// SPDX-License-Identifier: Apache-2.0
#include "broker/gate.h"

namespace fairlead::server {

void Gate::open() noexcept { state_.fetch_and(~closed); }

void Gate::close() noexcept {
  std::uint64_t state = state_.fetch_or(closed) | closed;
  while (state != closed) {
    state_.wait(state);
    state = state_.load();
  }
}

bool Gate::enter() noexcept {
  if ((state_.fetch_add(1) & closed) == 0) return true;
  leave();
  return false;
}

void Gate::leave() noexcept {
  if (state_.fetch_sub(1) - 1 == closed) state_.notify_all();
}

}  // namespace fairlead::server

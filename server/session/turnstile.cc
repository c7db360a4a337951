// SPDX-License-Identifier: Apache-2.0
#include "session/turnstile.h"

namespace fairlead::server {

void Turnstile::want_turn() {
  if (std::exchange(turn_wanted_, true)) return;
  next_turn_([this] { begin_turn(); });
}

void Turnstile::begin_turn() {
  turn_wanted_ = false;
  spent_ = Duration::zero();
  // What comes in meanwhile finds the line, or the rest of the share.
  while (!waiting_.empty() && spent_ < share) {
    Work work = std::move(waiting_.front());
    waiting_.pop_front();
    run(work);
  }
  if (!waiting_.empty()) want_turn();
}

}  // namespace fairlead::server

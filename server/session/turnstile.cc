// SPDX-License-Identifier: Apache-2.0
#include "session/turnstile.h"

namespace fairlead::server {

void Turnstile::want_turn() {
  if (std::exchange(turn_wanted_, true)) return;
  next_turn_([this] { begin_turn(); });
}

void Turnstile::begin_turn() {
  turn_wanted_ = false;
  const bool others_had_it = ended_ == TimePoint::min() || clock_() - ended_ >= share;
  spent_ = others_had_it ? Duration::zero() : share - (clock_() - ended_);
  // What comes in meanwhile finds the line, or the rest of the share.
  for (bool first = true; !waiting_.empty() && (first || spent_ < share); first = false) {
    Work work = std::move(waiting_.front());
    waiting_.pop_front();
    run(work);
  }
  if (!waiting_.empty()) want_turn();
}

}  // namespace fairlead::server

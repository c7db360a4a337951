// SPDX-License-Identifier: Apache-2.0
#include "transport/loop_transports.h"

#include "transport/link.h"
#include "transport/transports.h"

#include <algorithm>
#include <utility>

namespace fairlead::server {

void LoopTransports::defer(Link& link) {
  auto shared = link.weak_from_this().lock();
  if (shared == nullptr) return;  // it is being destroyed
  deferred_.push_back(std::move(shared));
  if (deferred_.size() == 1) handle_.post([this] { end_turn(); });
}

void LoopTransports::end_turn() {
  // What is asked for meanwhile belongs to the next turn.
  for (const auto& link : std::exchange(deferred_, {})) link->on_turn_end();
}

void LoopTransports::watch(Link& link, TimePoint deadline) {
  deadlines_.set(link, deadline);
  arm();
}

void LoopTransports::forget(Link& link) noexcept { deadlines_.remove(link); }

void LoopTransports::arm() {
  const auto next = deadlines_.next();
  // A timer that comes too early only looks again, so it moves only when it would come too late.
  if (!next || (timer_at_ && *timer_at_ <= *next)) return;
  timer_at_ = next;
  timer_ = handle_.call_after(std::max(Duration::zero(), *next - host_.now()), [this] {
    timer_at_.reset();
    deadlines_.fire(host_.now());
    arm();
  });
}

}  // namespace fairlead::server

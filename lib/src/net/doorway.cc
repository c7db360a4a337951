// SPDX-License-Identifier: Apache-2.0
#include "net/doorway.h"

#include "base/assert.h"
#include "io/outbox.h"

#include <algorithm>
#include <utility>

namespace fairlead::net {

Doorway::Doorway(io::Loop& loop, std::function<TimePoint()> clock) : loop_(loop), clock_(std::move(clock)) {}

void Doorway::queue(Guest& guest, Progress progress) {
  FAIRLEAD_ASSERT(!guest.waits_at_door());
  Line& line = progress == Progress::begun ? begun_ : fresh_;
  guest.line_ = &line.guests;
  guest.number_ = line.first + static_cast<std::uint32_t>(line.guests.size());
  line.guests.push_back(&guest);
  loop_.defer(*this);
}

void Doorway::leave(Guest& guest) noexcept {
  if (!guest.waits_at_door()) return;
  const Line& line = guest.line_ == &begun_.guests ? begun_ : fresh_;
  (*std::exchange(guest.line_, nullptr))[guest.number_ - line.first] = nullptr;
}

Doorway::Guest* Doorway::Line::take() noexcept {
  while (!guests.empty()) {
    Guest* const guest = guests.front();
    guests.pop_front();
    ++first;
    if (guest == nullptr) continue;
    guest->line_ = nullptr;
    return guest;
  }
  return nullptr;
}

Doorway::Guest* Doorway::take() noexcept {
  // One of so many is fresh whatever the others do: who dribbles a hello must not shut the door.
  constexpr unsigned fresh_one_in = 8;
  const bool fresh_first = ++taken_ % fresh_one_in == 0;
  Guest* const guest = (fresh_first ? fresh_ : begun_).take();
  return guest != nullptr ? guest : (fresh_first ? begun_ : fresh_).take();
}

// As much as others have had since the last share; past a share of that, a quarter.
Duration Doorway::share_of_turn(TimePoint now) const noexcept {
  if (served_ > now) return share;
  const Duration others = now - served_;
  return std::clamp<Duration>(others / 4, std::min<Duration>(others, share), longest_share);
}

void Doorway::on_turn_end() {
  TimePoint now = clock_();
  const TimePoint until = now + share_of_turn(now);
  served_ = TimePoint::max();
  loop_.outbox().flush();  // nobody waits for a step, nor one step for the next
  do {
    Guest* const guest = take();
    if (guest == nullptr) return;
    guest->on_admitted();
    loop_.outbox().flush();
    now = clock_();
  } while (now < until);
  served_ = now;
  loop_.defer(*this);  // for those who still wait: it is the next turn's
}

}  // namespace fairlead::net

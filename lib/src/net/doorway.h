// SPDX-License-Identifier: Apache-2.0
// Where connections wait whose TLS handshake is not done. One step of a handshake costs as much as hundreds of
// messages: were all that are ready taken in one turn of the loop, open connections would wait for as long as a crowd
// takes to come in.
#pragma once

#include "io/loop.h"

#include <fairlead/time.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>

namespace fairlead::net {

// One line for each loop. A turn of the loop gives the line a bounded share of its time, and one step at least; so
// whoever is inside waits for a share, however many stand at the door. In a short turn it is no longer than what the
// others have had: a message to thousands takes many of those, and is not to be held up for a whole share in each. The
// door is never shut either: when turns are long, because those inside have much to do, the share grows to a fifth of
// the time. Those whose handshake has begun are let in before those who have only said hello: few are half-open at a
// time, and the first to come are the first to be served. Loop's thread only.
class Doorway final : private io::Deferred {
 public:
  // A step takes some 0.3 ms, a turn's overhead is a tenth of that.
  static constexpr std::chrono::microseconds share{1'000};
  static constexpr std::chrono::microseconds longest_share{10'000};

  class Guest {
   public:
    Guest() = default;
    Guest(const Guest&) = delete;
    Guest& operator=(const Guest&) = delete;
    [[nodiscard]] bool waits_at_door() const noexcept { return line_ != nullptr; }

   protected:
    ~Guest() = default;  // after Doorway::leave
    // Its turn: it does not wait any more. It may queue again, and be destroyed.
    virtual void on_admitted() = 0;

   private:
    friend class Doorway;
    std::deque<Guest*>* line_ = nullptr;
    std::uint32_t number_ = 0;
  };
  enum class Progress : std::uint8_t { fresh, begun };

  explicit Doorway(io::Loop& loop, std::function<TimePoint()> clock = io::Loop::now);

  // Not while it waits already.
  void queue(Guest& guest, Progress progress);
  // For one that waits no longer, or never did.
  void leave(Guest& guest) noexcept;

 private:
  // The guests in order; who has left leaves a hole.
  struct Line {
    std::deque<Guest*> guests;
    std::uint32_t first = 0;  // the number of the one in front
    Guest* take() noexcept;
  };
  void on_turn_end() override;
  [[nodiscard]] Guest* take() noexcept;
  [[nodiscard]] Duration share_of_turn(TimePoint now) const noexcept;

  io::Loop& loop_;
  std::function<TimePoint()> clock_;
  Line begun_, fresh_;
  unsigned taken_ = 0;
  TimePoint served_ = TimePoint::max();  // when somebody was left waiting at the end of the last share
};

}  // namespace fairlead::net

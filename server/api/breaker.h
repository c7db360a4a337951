// SPDX-License-Identifier: Apache-2.0
// Stops asking a backend that does not answer: after so many failures in a row everything is refused for a while, then
// one question finds out whether it is back. Time is a parameter.
#pragma once

#include <fairlead/time.h>

#include <cstdint>

namespace fairlead::server {

class Breaker {
 public:
  // `failures` 0: never opens.
  Breaker(unsigned failures, Duration pause) noexcept : failures_(failures), pause_(pause) {}

  // Other limits for the same backend. What is known of it stays.
  void configure(unsigned failures, Duration pause) noexcept {
    failures_ = failures;
    pause_ = pause;
    if (failures_ == 0) open_ = false;
  }

  // Whether a question may go out now. In the half-open state only the one that finds out.
  [[nodiscard]] bool allows(TimePoint now) noexcept {
    if (!open_) return true;
    if (now < asks_again_at_) return false;
    asks_again_at_ = now + pause_;  // others wait for what this one finds
    return true;
  }
  void succeeded() noexcept {
    in_a_row_ = 0;
    open_ = false;
  }
  void failed(TimePoint now) noexcept {
    if (failures_ == 0 || ++in_a_row_ < failures_) return;
    if (!open_) ++opened_;
    open_ = true;
    asks_again_at_ = now + pause_;
  }
  [[nodiscard]] bool open() const noexcept { return open_; }
  [[nodiscard]] std::uint64_t opened() const noexcept { return opened_; }

 private:
  unsigned failures_;
  Duration pause_;
  unsigned in_a_row_ = 0;
  bool open_ = false;
  TimePoint asks_again_at_{};
  std::uint64_t opened_ = 0;
};

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
// Commands that cost much, such as to connect or to recover, in bounded shares of each turn of their loop: ten thousand
// clients that come back at once wait for one another, and whoever is there already does not wait for them.
#pragma once

#include <fairlead/time.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <utility>

namespace fairlead::server {

// One for each loop. Work passes at once while the turn's share lasts and nobody waits; the rest waits in line for the
// next turns. Each of these does one piece at least, and no longer than the others have had since: a message to
// thousands takes many short turns, and is not to be held up in each of them. One loop, one thread; no clock of its
// own.
class Turnstile {
 public:
  // Some ten recoveries of a hundred publications.
  static constexpr std::chrono::microseconds share{1'000};
  using Work = std::move_only_function<void()>;

  // `next_turn` calls what it is given in the loop's next turn, or never when the loop ends.
  Turnstile(std::function<TimePoint()> clock, std::function<void(std::function<void()>)> next_turn)
      : clock_(std::move(clock)), next_turn_(std::move(next_turn)) {}
  Turnstile(const Turnstile&) = delete;
  Turnstile& operator=(const Turnstile&) = delete;
  ~Turnstile() = default;

  template <class Something>
  void pass(Something work) {
    want_turn();
    if (!running_ && waiting_.empty() && spent_ < share) return run(work);
    waiting_.emplace_back(std::move(work));
  }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }

 private:
  template <class Something>
  void run(Something& work) {
    running_ = true;
    const TimePoint began = clock_();
    work();
    ended_ = clock_();
    spent_ += ended_ - began;
    running_ = false;
  }
  void want_turn();
  void begin_turn();

  std::function<TimePoint()> clock_;
  std::function<void(std::function<void()>)> next_turn_;
  std::deque<Work> waiting_;
  Duration spent_{};                    // of the share of this turn
  TimePoint ended_ = TimePoint::min();  // the last piece of work
  bool turn_wanted_ = false;
  bool running_ = false;  // a piece of work; what that brings waits until its cost is known
};

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
// Many deadlines behind one timer of the loop: a heap of nodes that live inside their owners. No clock, no allocation
// per timer.
#pragma once

#include <fairlead/time.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace fairlead::io {

class Timers;

// One deadline. Derive from it, or hold one by value; destroying it cancels it. `on_timer` may set it again or destroy
// it.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer();

  [[nodiscard]] bool armed() const noexcept { return owner_ != nullptr; }
  [[nodiscard]] TimePoint at() const noexcept { return at_; }

 protected:
  virtual void on_timer(TimePoint now) = 0;

 private:
  friend class Timers;
  Timers* owner_ = nullptr;
  std::size_t index_ = 0;  // in the heap
  TimePoint at_{};
};

// Not thread-safe. Outlives its armed timers or is destroyed with them disarmed.
class Timers {
 public:
  Timers() = default;
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;
  ~Timers();

  void set(Timer& timer, TimePoint at);
  void cancel(Timer& timer) noexcept;
  [[nodiscard]] std::optional<TimePoint> next() const noexcept;
  // Calls each timer that is due, earliest first; those armed meanwhile for the past wait for the next call.
  // `after_each` is called behind each of them.
  void fire(TimePoint now, const std::function<void()>& after_each = {});
  // Called when the last timer was cancelled, so that whoever waits for it need not wait any more.
  std::function<void()> on_none_left;

 private:
  void remove(Timer& timer) noexcept;
  void place(std::size_t index, Timer& timer) noexcept;
  void sift_up(std::size_t index) noexcept;
  void sift_down(std::size_t index) noexcept;

  std::vector<Timer*> heap_;
};

}  // namespace fairlead::io

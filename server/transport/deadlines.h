// SPDX-License-Identifier: Apache-2.0
// When to look at which of a loop's sessions next: one ordered set and one timer for tens of thousands of them. No
// clock of its own; the owner says when the earliest is due.
#pragma once

#include <fairlead/time.h>

#include <optional>
#include <set>
#include <utility>

namespace fairlead::server {

// Something with a deadline. Destroying it takes it out.
class Deadlined {
 public:
  Deadlined() = default;
  Deadlined(const Deadlined&) = delete;
  Deadlined& operator=(const Deadlined&) = delete;
  virtual ~Deadlined();

  // Its time has come; it has been taken out and may be set again.
  virtual void on_due(TimePoint now) = 0;

 private:
  friend class Deadlines;
  class Deadlines* owner_ = nullptr;
  TimePoint at_{};
};

// One loop, one thread. Outlives what is in it, or is destroyed before it.
class Deadlines {
 public:
  Deadlines() = default;
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;
  ~Deadlines();

  // Looks at `item` at `at` or earlier: a deadline that moved back stays where it is until it has come, so that the
  // common case (each message moves it) costs a comparison.
  void set(Deadlined& item, TimePoint at);
  void remove(Deadlined& item) noexcept;
  [[nodiscard]] std::optional<TimePoint> next() const;
  // Calls each item that is due, earliest first; those set anew for the past wait for the next call.
  void fire(TimePoint now);
  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }

 private:
  using Item = std::pair<TimePoint, Deadlined*>;
  std::set<Item> items_;
  std::optional<TimePoint> firing_;
};

}  // namespace fairlead::server

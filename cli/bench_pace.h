// SPDX-License-Identifier: Apache-2.0
// The two pieces of arithmetic that decide what a latency means: when a message was due, and when the one that is
// answered now was due.
#pragma once

#include <fairlead/time.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fairlead::cli {

// An open-loop schedule: message n is due at start + n / rate, whatever became of the ones before. A latency counted
// from there includes the time for which a slow server kept the message from being sent ("coordinated omission").
class Schedule {
 public:
  Schedule(TimePoint start, double per_second) noexcept : start_(start), interval_ns_(1e9 / per_second) {}

  [[nodiscard]] TimePoint next() const noexcept { return due(sent_); }
  [[nodiscard]] bool is_due(TimePoint now) const noexcept { return next() <= now; }
  void sent() noexcept { ++sent_; }
  // How many are due at `now` and have not been sent, and when each of them was due.
  [[nodiscard]] std::uint64_t overdue(TimePoint now) const noexcept {
    if (!is_due(now)) return 0;
    const auto passed = static_cast<double>(std::chrono::nanoseconds(now - start_).count());
    return static_cast<std::uint64_t>(passed / interval_ns_) + 1 - sent_;
  }
  [[nodiscard]] TimePoint overdue_at(std::uint64_t index) const noexcept { return due(sent_ + index); }

 private:
  [[nodiscard]] TimePoint due(std::uint64_t number) const noexcept {
    return start_ + std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(number) * interval_ns_));
  }

  TimePoint start_;
  double interval_ns_;
  std::uint64_t sent_ = 0;
};

// When the messages in flight on one connection were due; answers come in order. At most `window` of them.
class InFlight {
 public:
  explicit InFlight(std::size_t window) : times_(window) {}

  [[nodiscard]] bool full() const noexcept { return count_ == times_.size(); }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  void push(TimePoint due) noexcept {
    times_[(first_ + count_) % times_.size()] = due;
    ++count_;
  }
  TimePoint pop() noexcept {
    const TimePoint due = times_[first_];
    if (++first_ == times_.size()) first_ = 0;
    --count_;
    return due;
  }

 private:
  std::vector<TimePoint> times_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace fairlead::cli

// SPDX-License-Identifier: Apache-2.0
// Latencies by their size: a log-linear ("HDR") histogram, so that a 99.9th percentile is exact to three significant
// digits whether it is 30 µs or 30 s, and recording costs a few nanoseconds and no memory.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fairlead::cli {

// Counts durations from 1 ns to 1 h. Each power of two above 2^11 ns is cut into 1,024 equal cells, so a value is known
// to within 0.1 %; everything below 2^11 ns is known exactly. What is longer than an hour counts as an hour
// (`clamped()` tells how often), what is negative as zero. About 260 KB; not thread-safe: one for each thread, `merge`.
class Histogram {
 public:
  using Nanoseconds = std::chrono::nanoseconds;
  static constexpr Nanoseconds longest = std::chrono::hours{1};

  Histogram();

  void record(Nanoseconds value, std::uint64_t times = 1) noexcept;
  void merge(const Histogram& other) noexcept;
  void clear() noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t clamped() const noexcept { return clamped_; }
  [[nodiscard]] Nanoseconds min() const noexcept;  // exact; zero when empty, as below
  [[nodiscard]] Nanoseconds max() const noexcept;  // exact
  [[nodiscard]] Nanoseconds mean() const noexcept;
  // The value that `percent` (0–100) of all recorded values do not exceed: the upper end of its cell, at most `max()`.
  [[nodiscard]] Nanoseconds percentile(double percent) const noexcept;

 private:
  std::vector<std::uint64_t> cells_;
  std::uint64_t count_ = 0;
  std::uint64_t clamped_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t min_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace fairlead::cli

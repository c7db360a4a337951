// SPDX-License-Identifier: Apache-2.0
// How long things took: a histogram that all loops count into. Its buckets grow by an eighth of a power of two, so a
// percentile is exact to 13 %.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdint>
#include <optional>

namespace fairlead::server {

// Thread-safe.
class Latencies {
 public:
  void add(std::chrono::nanoseconds took) noexcept {
    const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0));
    counts_.at(bucket(ns)).fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(ns, std::memory_order_relaxed);
  }
  // Seconds, of everything since the start; nothing when nothing was counted.
  [[nodiscard]] std::optional<double> percentile(double share) const noexcept {
    std::uint64_t all = 0;
    for (const auto& count : counts_) all += count.load(std::memory_order_relaxed);
    if (all == 0) return std::nullopt;
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(all - 1));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_.at(i).load(std::memory_order_relaxed);
      if (seen > wanted) return static_cast<double>(upper(i)) * 1e-9;
    }
    return std::nullopt;
  }
  [[nodiscard]] double sum_seconds() const noexcept {
    return static_cast<double>(sum_.load(std::memory_order_relaxed)) * 1e-9;
  }
  // How many took at most so many nanoseconds, as far as the buckets can tell.
  [[nodiscard]] std::uint64_t within(std::uint64_t ns) const noexcept {
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size() && upper(i) <= ns; ++i) {
      seen += counts_.at(i).load(std::memory_order_relaxed);
    }
    return seen;
  }

 private:
  static constexpr std::size_t steps = 8;  // of each power of two
  [[nodiscard]] static std::size_t bucket(std::uint64_t ns) noexcept {
    if (ns < steps) return static_cast<std::size_t>(ns);
    const auto power = static_cast<std::size_t>(std::bit_width(ns)) - 1;  // >= 3
    return (power - 2) * steps + static_cast<std::size_t>((ns >> (power - 3)) & (steps - 1));
  }
  [[nodiscard]] static std::uint64_t upper(std::size_t bucket) noexcept {
    if (bucket < steps) return bucket;
    const std::size_t power = bucket / steps + 2;
    return ((steps + bucket % steps + 1) << (power - 3)) - 1;
  }
  std::array<std::atomic<std::uint64_t>, 62 * steps> counts_{};
  std::atomic<std::uint64_t> sum_{0};
};

}  // namespace fairlead::server

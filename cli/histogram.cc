// SPDX-License-Identifier: Apache-2.0
// The cells: 2,048 of one nanosecond each, then 1,024 for each further power of two, twice as wide every time.
#include "histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace fairlead::cli {

namespace {

constexpr unsigned exact_bits = 11;  // 2^11 > 2 · 10^3: three significant digits
constexpr std::uint64_t cells_per_power = std::uint64_t{1} << (exact_bits - 1);
constexpr std::uint64_t longest_ns = static_cast<std::uint64_t>(Histogram::longest.count());

// Both are continuous: the last exact cell is followed by the first wide one.
constexpr std::size_t cell_of(std::uint64_t value) noexcept {
  const auto width = static_cast<unsigned>(std::bit_width(value));
  const unsigned shift = width > exact_bits ? width - exact_bits : 0;
  return static_cast<std::size_t>(shift * cells_per_power + (value >> shift));
}

constexpr std::uint64_t last_value_of(std::size_t cell) noexcept {
  if (cell < 2 * cells_per_power) return cell;
  const std::uint64_t shift = cell / cells_per_power - 1;
  const std::uint64_t top = cell - shift * cells_per_power;
  return ((top + 1) << shift) - 1;
}

static_assert(cell_of(2047) == 2047 && cell_of(2048) == 2048 && last_value_of(2048) == 2049);

constexpr Histogram::Nanoseconds ns(std::uint64_t value) noexcept {
  return Histogram::Nanoseconds{static_cast<Histogram::Nanoseconds::rep>(value)};
}

}  // namespace

Histogram::Histogram() : cells_(cell_of(longest_ns) + 1) {}

void Histogram::record(Nanoseconds value, std::uint64_t times) noexcept {
  if (times == 0) return;
  if (value > longest) clamped_ += times;
  const auto counted = static_cast<std::uint64_t>(std::clamp(value, Nanoseconds{0}, longest).count());
  min_ = count_ == 0 ? counted : std::min(min_, counted);
  max_ = std::max(max_, counted);
  cells_[cell_of(counted)] += times;
  count_ += times;
  sum_ += counted * times;
}

void Histogram::merge(const Histogram& other) noexcept {
  if (other.count_ == 0) return;
  std::ranges::transform(cells_, other.cells_, cells_.begin(), std::plus{});
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  count_ += other.count_;
  clamped_ += other.clamped_;
  sum_ += other.sum_;
}

void Histogram::clear() noexcept {
  std::ranges::fill(cells_, 0);
  count_ = clamped_ = sum_ = min_ = max_ = 0;
}

Histogram::Nanoseconds Histogram::min() const noexcept { return ns(min_); }
Histogram::Nanoseconds Histogram::max() const noexcept { return ns(max_); }
Histogram::Nanoseconds Histogram::mean() const noexcept { return ns(count_ == 0 ? 0 : sum_ / count_); }

Histogram::Nanoseconds Histogram::percentile(double percent) const noexcept {
  const double share = std::clamp(percent, 0.0, 100.0) / 100.0;
  const auto wanted = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_) * (1.0 - 1e-12))));
  std::uint64_t seen = 0;
  for (std::size_t cell = 0; cell < cells_.size(); ++cell) {
    seen += cells_[cell];
    if (seen >= wanted) return ns(std::clamp(last_value_of(cell), min_, max_));
  }
  return max();
}

}  // namespace fairlead::cli

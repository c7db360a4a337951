// SPDX-License-Identifier: Apache-2.0
// How much the memory engine may hold. Everything that stays is charged with about what it costs, and gives that back
// when it goes.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>

namespace fairlead::server {

class Budget {
 public:
  // Bytes that somebody holds; given back with the object.
  class Charge {
   public:
    Charge() = default;
    Charge(Charge&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    Charge& operator=(Charge&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Charge() {
      if (budget_ != nullptr) budget_->used_.fetch_sub(bytes_, std::memory_order_relaxed);
    }

   private:
    friend class Budget;
    Charge(Budget& budget, std::size_t bytes) noexcept : budget_(&budget), bytes_(bytes) {}
    Budget* budget_ = nullptr;
    std::size_t bytes_ = 0;
  };

  explicit Budget(std::size_t limit_bytes) noexcept : limit_(limit_bytes) {}

  // Nothing when there is no room.
  [[nodiscard]] std::optional<Charge> take(std::size_t bytes) noexcept {
    const std::size_t before = used_.fetch_add(bytes, std::memory_order_relaxed);
    if (before + bytes <= limit_) return Charge(*this, bytes);
    used_.fetch_sub(bytes, std::memory_order_relaxed);
    return std::nullopt;
  }
  [[nodiscard]] std::size_t used_bytes() const noexcept { return used_.load(std::memory_order_relaxed); }

 private:
  std::size_t limit_;
  std::atomic<std::size_t> used_{0};
};

}  // namespace fairlead::server

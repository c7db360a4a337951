// SPDX-License-Identifier: Apache-2.0
// How fast one client may ask: token buckets, one for what is refused and one, ten times as large, for what ends it.
#pragma once

#include <fairlead/time.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace fairlead::server {

enum class Pace : std::uint8_t { within, over, far_over };
// What is counted for all connections of a user together, each by itself.
enum class UserOperation : std::uint8_t { command, publish, subscribe, rpc };
inline constexpr std::size_t user_operations = 4;

class TokenBucket {
 public:
  // Full at first: `burst` at once, then `per_second`.
  TokenBucket(double per_second, double burst) noexcept : per_second_(per_second), burst_(burst), level_(burst) {}
  [[nodiscard]] bool take(TimePoint now) noexcept;

 private:
  double per_second_, burst_, level_;
  TimePoint filled_{};
};

class RateLimit {
 public:
  explicit RateLimit(double per_second) noexcept;  // 0: no limit
  [[nodiscard]] Pace take(TimePoint now) noexcept;

 private:
  struct Buckets {
    TokenBucket refusing, ending;
  };
  std::unique_ptr<Buckets> buckets_;  // none without a limit, as most are
};

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
// The users of this node over all loops: how many connections each has, and what they may do together.
#pragma once

#include "session/limits.h"

#include <fairlead/time.h>

#include <array>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace fairlead::server {

// Thread-safe. The user "" is nobody in particular and is not counted. Who has gone is remembered until the buckets
// would be full again, so that coming back fills none of them.
class UserRegistry {
 public:
  static constexpr std::size_t remembered_limit = 65'536;  // of those who have gone; past it some are forgotten

  // False when the user has `limit` connections already (0: no limit); then nothing was counted.
  [[nodiscard]] bool enter(const std::string& user, std::size_t limit);
  void leave(const std::string& user, TimePoint now);
  // Takes one from the user's bucket of that operation, which holds two seconds' worth. `per_second` 0 or less: no
  // limit.
  [[nodiscard]] bool take(const std::string& user, UserOperation operation, double per_second, TimePoint now);
  [[nodiscard]] std::size_t users() const;       // who are connected
  [[nodiscard]] std::size_t remembered() const;  // who have gone

 private:
  struct Bucket {
    double tokens = 0;
    TimePoint filled{};
    TimePoint full_at{};
  };
  struct Known {
    std::size_t connections = 0;
    bool is_in_gone = false;
    std::array<std::unique_ptr<Bucket>, user_operations> buckets;  // none: not used yet, as most are
    [[nodiscard]] bool is_full(TimePoint now) const;
  };
  struct Stripe {
    mutable std::mutex mutex;
    std::unordered_map<std::string, Known> users;
    std::deque<std::string> gone;  // to be looked at again; some may have come back
    std::size_t connected = 0;
    void sweep(TimePoint now);
  };
  static constexpr std::size_t stripe_count = 32;
  [[nodiscard]] Stripe& stripe_of(const std::string& user) {
    return stripes_.at(std::hash<std::string>{}(user) % stripes_.size());
  }
  std::array<Stripe, stripe_count> stripes_;
};

}  // namespace fairlead::server

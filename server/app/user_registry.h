// SPDX-License-Identifier: Apache-2.0
// The users of this node over all loops: how many connections each has, and what they may publish together.
#pragma once

#include "session/limits.h"

#include <fairlead/time.h>

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace fairlead::server {

// Thread-safe. The user "" is nobody in particular and is not counted.
class UserRegistry {
 public:
  // False when the user has `limit` connections already (0: no limit); then nothing was counted.
  [[nodiscard]] bool enter(const std::string& user, std::size_t limit);
  void leave(const std::string& user);
  // Takes one from the user's bucket of that operation, which holds two seconds' worth. `per_second` 0 or less: no
  // limit.
  [[nodiscard]] bool take(const std::string& user, UserOperation operation, double per_second, TimePoint now);
  [[nodiscard]] std::size_t users() const;

 private:
  struct Bucket {
    double tokens = 0;
    TimePoint filled{};
  };
  struct Known {
    std::size_t connections = 0;
    std::array<std::unique_ptr<Bucket>, user_operations> buckets;  // none: not used yet, as most are
  };
  struct Stripe {
    mutable std::mutex mutex;
    std::unordered_map<std::string, Known> users;
  };
  [[nodiscard]] Stripe& stripe_of(const std::string& user) {
    return stripes_.at(std::hash<std::string>{}(user) % stripes_.size());
  }
  std::array<Stripe, 32> stripes_;
};

}  // namespace fairlead::server

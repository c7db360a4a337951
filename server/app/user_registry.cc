// SPDX-License-Identifier: Apache-2.0
#include "app/user_registry.h"

#include <algorithm>
#include <chrono>

namespace fairlead::server {

bool UserRegistry::enter(const std::string& user, std::size_t limit) {
  if (user.empty()) return true;
  Stripe& stripe = stripe_of(user);
  const std::scoped_lock lock(stripe.mutex);
  Known& known = stripe.users[user];
  if (limit > 0 && known.connections >= limit) return false;
  known.connections += 1;
  return true;
}

void UserRegistry::leave(const std::string& user) {
  if (user.empty()) return;
  Stripe& stripe = stripe_of(user);
  const std::scoped_lock lock(stripe.mutex);
  const auto found = stripe.users.find(user);
  if (found == stripe.users.end()) return;
  // The bucket goes with the last connection: who reconnects to fill it is slowed down by the connecting.
  if (found->second.connections <= 1) {
    stripe.users.erase(found);
  } else {
    found->second.connections -= 1;
  }
}

bool UserRegistry::take(const std::string& user, UserOperation operation, double per_second, TimePoint now) {
  if (user.empty() || per_second <= 0) return true;
  Stripe& stripe = stripe_of(user);
  const std::scoped_lock lock(stripe.mutex);
  const auto found = stripe.users.find(user);
  if (found == stripe.users.end()) return true;  // it has just left
  const double burst = std::max(1.0, 2 * per_second);
  auto& bucket = found->second.buckets.at(static_cast<std::size_t>(operation));
  if (!bucket) bucket = std::make_unique<Bucket>(Bucket{burst, now});
  const double passed = std::chrono::duration<double>(now - bucket->filled).count();
  bucket->tokens = std::min(burst, bucket->tokens + std::max(0.0, passed) * per_second);
  bucket->filled = now;
  if (bucket->tokens < 1) return false;
  bucket->tokens -= 1;
  return true;
}

std::size_t UserRegistry::users() const {
  std::size_t count = 0;
  for (const Stripe& stripe : stripes_) {
    const std::scoped_lock lock(stripe.mutex);
    count += stripe.users.size();
  }
  return count;
}

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
#include "app/user_registry.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace fairlead::server {
namespace {

constexpr double longest_seconds = 24.0 * 60 * 60;  // until a bucket is full, also at a rate of nearly nothing

}  // namespace

bool UserRegistry::enter(const std::string& user, std::size_t limit) {
  if (user.empty()) return true;
  Stripe& stripe = stripe_of(user);
  const std::scoped_lock lock(stripe.mutex);
  Known& known = stripe.users[user];
  if (limit > 0 && known.connections >= limit) return false;
  if (++known.connections == 1) ++stripe.connected;
  return true;
}

void UserRegistry::leave(const std::string& user, TimePoint now) {
  if (user.empty()) return;
  Stripe& stripe = stripe_of(user);
  const std::scoped_lock lock(stripe.mutex);
  const auto found = stripe.users.find(user);
  if (found == stripe.users.end() || found->second.connections == 0) return;
  Known& known = found->second;
  if (--known.connections == 0) {
    --stripe.connected;
    if (!std::exchange(known.is_in_gone, true)) stripe.gone.push_back(user);
  }
  stripe.sweep(now);
}

bool UserRegistry::Known::is_full(TimePoint now) const {
  return std::ranges::all_of(buckets, [now](const auto& bucket) { return !bucket || bucket->full_at <= now; });
}

// A few at a time, more than one call adds. Those whose buckets are not full go back to the end.
void UserRegistry::Stripe::sweep(TimePoint now) {
  constexpr std::size_t looked_at = 4;
  constexpr std::size_t limit = remembered_limit / stripe_count;
  for (std::size_t i = std::min(looked_at, gone.size()); i > 0; --i) {
    std::string user = std::move(gone.front());
    gone.pop_front();
    const auto found = users.find(user);
    if (found->second.connections > 0) {
      found->second.is_in_gone = false;
    } else if (found->second.is_full(now) || gone.size() >= limit) {
      users.erase(found);
    } else {
      gone.push_back(std::move(user));
    }
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
  const bool taken = bucket->tokens >= 1;
  if (taken) bucket->tokens -= 1;
  const double seconds_to_full = std::min((burst - bucket->tokens) / per_second, longest_seconds);
  bucket->full_at = now + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds_to_full));
  return taken;
}

std::size_t UserRegistry::users() const {
  std::size_t count = 0;
  for (const Stripe& stripe : stripes_) {
    const std::scoped_lock lock(stripe.mutex);
    count += stripe.connected;
  }
  return count;
}

std::size_t UserRegistry::remembered() const {
  std::size_t count = 0;
  for (const Stripe& stripe : stripes_) {
    const std::scoped_lock lock(stripe.mutex);
    count += stripe.users.size() - stripe.connected;
  }
  return count;
}

}  // namespace fairlead::server

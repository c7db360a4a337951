// SPDX-License-Identifier: Apache-2.0
#include "app/channel_registry.h"

#include <algorithm>
#include <utility>

namespace fairlead::server {

ChannelRegistry::ChannelRegistry(Broker& broker, Occupancy occupancy)
    : broker_(broker), occupancy_(std::move(occupancy)) {}

ChannelRegistry::Stripe& ChannelRegistry::stripe_of(const std::string& channel) {
  return stripes_.at(std::hash<std::string>{}(channel) % stripes_.size());
}
const ChannelRegistry::Stripe& ChannelRegistry::stripe_of(const std::string& channel) const {
  return stripes_.at(std::hash<std::string>{}(channel) % stripes_.size());
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): kept, or called once and gone
void ChannelRegistry::want(const std::string& channel, unsigned loop, Done<void> done) {
  bool ready = false;
  bool ask = false;
  bool first = false;
  {
    Stripe& stripe = stripe_of(channel);
    const std::scoped_lock lock(stripe.mutex);
    Entry& entry = stripe.entries[channel];
    if (entry.number == 0) entry.number = next_number_.fetch_add(1, std::memory_order_relaxed);
    first = entry.loops.empty();
    if (first) size_.fetch_add(1, std::memory_order_relaxed);
    if (std::ranges::find(entry.loops, loop) == entry.loops.end()) entry.loops.push_back(loop);
    ready = entry.phase == Phase::subscribed;
    if (!ready) entry.waiting.push_back({loop, done});
    ask = entry.phase == Phase::absent;
    if (ask) entry.phase = Phase::subscribing;
    if (first && occupancy_) occupancy_(channel, true);
  }
  if (ready) return done({});
  if (ask) ask_subscribe(channel);
}

void ChannelRegistry::unwant(const std::string& channel, unsigned loop) {
  bool last = false;
  bool ask = false;
  {
    Stripe& stripe = stripe_of(channel);
    const std::scoped_lock lock(stripe.mutex);
    const auto found = stripe.entries.find(channel);
    if (found == stripe.entries.end()) return;
    Entry& entry = found->second;
    if (std::erase(entry.loops, loop) == 0) return;
    last = entry.loops.empty();
    if (last) size_.fetch_sub(1, std::memory_order_relaxed);
    ask = last && entry.phase == Phase::subscribed;
    if (ask) entry.phase = Phase::unsubscribing;
    if (last && occupancy_) occupancy_(channel, false);
  }
  if (ask) ask_unsubscribe(channel);
}

void ChannelRegistry::ask_subscribe(const std::string& channel) {
  broker_.subscribe(channel, [this, channel](const Outcome<void>& outcome) { subscribed(channel, outcome); });
}
void ChannelRegistry::ask_unsubscribe(const std::string& channel) {
  // An engine that cannot even be told to stop sends events that nobody listens to: harmless.
  broker_.unsubscribe(channel, [this, channel](const Outcome<void>&) { unsubscribed(channel); });
}

void ChannelRegistry::subscribed(const std::string& channel, const Outcome<void>& outcome) {
  std::vector<Waiting> waiting;
  bool nobody = false;
  {
    Stripe& stripe = stripe_of(channel);
    const std::scoped_lock lock(stripe.mutex);
    Entry& entry = stripe.entries[channel];
    waiting = std::exchange(entry.waiting, {});
    if (!outcome) {
      const bool had = !entry.loops.empty();
      for (const Waiting& one : waiting) std::erase(entry.loops, one.loop);
      const bool emptied = had && entry.loops.empty();
      if (emptied) size_.fetch_sub(1, std::memory_order_relaxed);
      if (emptied && occupancy_) occupancy_(channel, false);
      entry.phase = Phase::absent;
      if (entry.loops.empty()) stripe.entries.erase(channel);
    } else {
      nobody = entry.loops.empty();  // changed their minds while it was under way
      entry.phase = nobody ? Phase::unsubscribing : Phase::subscribed;
    }
  }
  for (Waiting& one : waiting) one.done(outcome);
  if (nobody) ask_unsubscribe(channel);
}

void ChannelRegistry::unsubscribed(const std::string& channel) {
  bool again = false;
  {
    Stripe& stripe = stripe_of(channel);
    const std::scoped_lock lock(stripe.mutex);
    const auto found = stripe.entries.find(channel);
    if (found == stripe.entries.end()) return;
    again = !found->second.loops.empty();
    found->second.phase = again ? Phase::subscribing : Phase::absent;
    if (!again && found->second.waiting.empty()) stripe.entries.erase(found);
  }
  if (again) ask_subscribe(channel);
}

ChannelRegistry::Listeners ChannelRegistry::listeners(const std::string& channel) const {
  const Stripe& stripe = stripe_of(channel);
  const std::scoped_lock lock(stripe.mutex);
  const auto found = stripe.entries.find(channel);
  if (found == stripe.entries.end()) return {};
  return {found->second.loops, found->second.number};
}

std::int64_t ChannelRegistry::number_of(const std::string& channel) const {
  const Stripe& stripe = stripe_of(channel);
  const std::scoped_lock lock(stripe.mutex);
  const auto found = stripe.entries.find(channel);
  return found == stripe.entries.end() ? 0 : found->second.number;
}

std::vector<std::string> ChannelRegistry::channels() const {
  std::vector<std::string> names;
  names.reserve(size());
  for (const Stripe& stripe : stripes_) {
    const std::scoped_lock lock(stripe.mutex);
    for (const auto& [name, entry] : stripe.entries) {
      if (!entry.loops.empty()) names.push_back(name);
    }
  }
  return names;
}

}  // namespace fairlead::server

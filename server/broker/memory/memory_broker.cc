// SPDX-License-Identifier: Apache-2.0
#include "broker/memory/memory_broker.h"

#include "broker/answers.h"
#include "broker/options.h"

#include <functional>
#include <utility>

namespace fairlead::server {

namespace {
constexpr std::size_t swept_per_call = 4;       // channels; a call adds at most one
constexpr std::size_t channel_overhead = 1024;  // an entry with its empty containers
}  // namespace

MemoryBroker::MemoryBroker(Budget& budget, Gate& gate, WallClock clock, std::function<void(const Fault&)> failed)
    : budget_(budget), gate_(gate), clock_(std::move(clock)), failed_(std::move(failed)) {}

Outcome<void> MemoryBroker::start(BrokerEvents& events) {
  events_ = &events;
  gate_.open();
  return {};
}

void MemoryBroker::stop() { gate_.close(); }

MemoryBroker::Stripe& MemoryBroker::stripe_of(const std::string& channel) {
  return stripes_[std::hash<std::string>{}(channel) % stripe_count];
}

template <class T, class Work>
void MemoryBroker::run(const std::string& channel, const Done<T>& done, Work work) {
  const Gate::Visit visit(gate_);
  if (!visit) return done(stopped());
  const WallTime now = clock_();
  Stripe& stripe = stripe_of(channel);
  std::unique_lock lock(stripe.lock);
  Outcome<T> outcome = work(stripe, now);
  if (const auto at = stripe.channels.find(channel); at != stripe.channels.end()) schedule(stripe, channel, at->second);
  sweep(stripe, now);
  lock.unlock();
  sweep_another(now);
  if (!outcome && failed_ && outcome.error().kind == FaultKind::full) failed_(outcome.error());
  done(std::move(outcome));
}

Outcome<ChannelState*> MemoryBroker::find_or_add(Stripe& stripe, const std::string& channel) {
  const auto at = stripe.channels.find(channel);
  if (at != stripe.channels.end()) return &at->second;
  auto charge = budget_.take(channel_overhead + channel.size());
  if (!charge) return std::unexpected(Fault{FaultKind::full, "the memory engine has no room for another channel"});
  return &stripe.channels.try_emplace(channel, std::move(*charge)).first->second;
}

// One wake per channel is enough: when it comes, the next one is found. An earlier end needs an earlier wake.
void MemoryBroker::schedule(Stripe& stripe, const std::string& channel, ChannelState& state) {
  // A channel where nothing was kept after all is due at once.
  const WallTime next = state.next_expiry().value_or(WallTime::min());
  if (state.wake && *state.wake <= next) return;
  state.wake = next;
  stripe.wakes.emplace(next, channel);
}

void MemoryBroker::sweep(Stripe& stripe, WallTime now) {
  for (std::size_t i = 0; i < swept_per_call && !stripe.wakes.empty() && stripe.wakes.top().first <= now; ++i) {
    const auto [time, channel] = stripe.wakes.top();
    stripe.wakes.pop();
    const auto at = stripe.channels.find(channel);
    if (at == stripe.channels.end() || at->second.wake != time) continue;  // of an earlier life, or replaced
    ChannelState& state = at->second;
    state.drop_expired(now);
    state.wake.reset();
    if (state.empty()) {
      stripe.channels.erase(at);
    } else {
      schedule(stripe, channel, state);
    }
  }
}

void MemoryBroker::sweep_another(WallTime now) {
  Stripe& stripe = stripes_[next_swept_.fetch_add(1, std::memory_order_relaxed) % stripe_count];
  const std::unique_lock lock(stripe.lock, std::try_to_lock);
  if (lock) sweep(stripe, now);
}

void MemoryBroker::subscribe(const std::string& channel, Done<void> done) {
  run(channel, done, [&](Stripe& stripe, WallTime) -> Outcome<void> {
    stripe.subscribed.insert(channel);
    return {};
  });
}

void MemoryBroker::unsubscribe(const std::string& channel, Done<void> done) {
  run(channel, done, [&](Stripe& stripe, WallTime) -> Outcome<void> {
    stripe.subscribed.erase(channel);
    return {};
  });
}

Outcome<ChannelState::Published> MemoryBroker::publish_in(Stripe& stripe, const std::string& channel,
                                                          Publication publication, const PublishOptions& options,
                                                          WallTime now) {
  if (!keeps_anything(options) && !stripe.channels.contains(channel)) {
    return ChannelState::passing(std::move(publication), now);
  }
  auto state = find_or_add(stripe, channel);
  if (!state) return std::unexpected(std::move(state.error()));
  return (*state)->publish(std::move(publication), options, now, budget_);
}

void MemoryBroker::publish(const std::string& channel, Publication publication, PublishOptions options,
                           Done<PublishOutcome> done) {
  run(channel, done, [&](Stripe& stripe, WallTime now) -> Outcome<PublishOutcome> {
    auto published = publish_in(stripe, channel, std::move(publication), options, now);
    if (!published) return std::unexpected(std::move(published.error()));
    if (published->publication && stripe.subscribed.contains(channel)) {
      events_->on_publication(channel, std::move(published->publication), published->outcome.position,
                              std::move(published->previous));
    }
    return std::move(published->outcome);
  });
}

void MemoryBroker::publish_join(const std::string& channel, ClientInfo info, Done<void> done) {
  run(channel, done, [&](Stripe& stripe, WallTime) -> Outcome<void> {
    if (stripe.subscribed.contains(channel)) events_->on_join(channel, info);
    return {};
  });
}

void MemoryBroker::publish_leave(const std::string& channel, ClientInfo info, Done<void> done) {
  run(channel, done, [&](Stripe& stripe, WallTime) -> Outcome<void> {
    if (stripe.subscribed.contains(channel)) events_->on_leave(channel, info);
    return {};
  });
}

void MemoryBroker::history(const std::string& channel, HistoryQuery query, Done<History> done) {
  run(channel, done, [&](Stripe& stripe, WallTime now) -> Outcome<History> {
    auto state = find_or_add(stripe, channel);
    if (!state) return std::unexpected(std::move(state.error()));
    return (*state)->history(query, now);
  });
}

void MemoryBroker::remove_history(const std::string& channel, Done<void> done) {
  run(channel, done, [&](Stripe& stripe, WallTime) -> Outcome<void> {
    if (const auto at = stripe.channels.find(channel); at != stripe.channels.end()) at->second.remove_history();
    return {};
  });
}

void MemoryBroker::latest(const std::string& channel, Done<PublicationPtr> done) {
  run(channel, done, [&](Stripe& stripe, WallTime now) -> Outcome<PublicationPtr> {
    const auto at = stripe.channels.find(channel);
    return at == stripe.channels.end() ? nullptr : at->second.latest(now);
  });
}

void MemoryBroker::add_presence(const std::string& channel, ClientInfo info, std::chrono::milliseconds ttl,
                                Done<void> done) {
  run(channel, done, [&](Stripe& stripe, WallTime now) -> Outcome<void> {
    auto state = find_or_add(stripe, channel);
    if (!state) return std::unexpected(std::move(state.error()));
    return (*state)->add_presence(std::move(info), expiry(now, ttl), budget_);
  });
}

void MemoryBroker::remove_presence(const std::string& channel, const std::string& client, Done<void> done) {
  run(channel, done, [&](Stripe& stripe, WallTime) -> Outcome<void> {
    if (const auto at = stripe.channels.find(channel); at != stripe.channels.end()) at->second.remove_presence(client);
    return {};
  });
}

void MemoryBroker::presence(const std::string& channel, Done<Presence> done) {
  run(channel, done, [&](Stripe& stripe, WallTime now) -> Outcome<Presence> {
    const auto at = stripe.channels.find(channel);
    return at == stripe.channels.end() ? Presence{} : at->second.presence(now);
  });
}

void MemoryBroker::presence_stats(const std::string& channel, Done<PresenceStats> done) {
  run(channel, done, [&](Stripe& stripe, WallTime now) -> Outcome<PresenceStats> {
    const auto at = stripe.channels.find(channel);
    return at == stripe.channels.end() ? PresenceStats{} : at->second.presence_stats(now);
  });
}

std::size_t MemoryBroker::channels() const {
  std::size_t count = 0;
  for (const Stripe& stripe : stripes_) {
    const std::lock_guard lock(stripe.lock);
    count += stripe.channels.size();
  }
  return count;
}

}  // namespace fairlead::server

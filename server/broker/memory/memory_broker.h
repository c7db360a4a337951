// SPDX-License-Identifier: Apache-2.0
// Channels in memory, striped by name. Every call is answered before it returns, on the caller's thread. Events are
// told while the channel's stripe is held, which is what puts them in order: receivers only post them on, and never
// call the engine from inside one. What has ended is forgotten by the way: each call looks after a few channels that
// are due, in its own stripe and in one other, so memory shrinks as long as anything happens and nothing is ever
// searched through.
#pragma once

#include "broker/broker.h"
#include "broker/clock.h"
#include "broker/gate.h"
#include "broker/memory/budget.h"
#include "broker/memory/channel_state.h"

#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <queue>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace fairlead::server {

class MemoryBroker final : public Broker {
 public:
  MemoryBroker(Budget& budget, Gate& gate, WallClock clock, std::function<void(const Fault&)> failed = {});

  [[nodiscard]] Outcome<void> start(BrokerEvents& events) override;
  void stop() override;
  [[nodiscard]] std::string_view name() const noexcept override { return "memory"; }

  void subscribe(const std::string& channel, Done<void> done) override;
  void unsubscribe(const std::string& channel, Done<void> done) override;
  void publish(const std::string& channel, Publication publication, PublishOptions options,
               Done<PublishOutcome> done) override;
  void publish_join(const std::string& channel, ClientInfo info, Done<void> done) override;
  void publish_leave(const std::string& channel, ClientInfo info, Done<void> done) override;
  void history(const std::string& channel, HistoryQuery query, Done<History> done) override;
  void remove_history(const std::string& channel, Done<void> done) override;
  void latest(const std::string& channel, Done<PublicationPtr> done) override;
  void add_presence(const std::string& channel, ClientInfo info, std::chrono::milliseconds ttl,
                    Done<void> done) override;
  void remove_presence(const std::string& channel, const std::string& client, Done<void> done) override;
  void presence(const std::string& channel, Done<Presence> done) override;
  void presence_stats(const std::string& channel, Done<PresenceStats> done) override;

  [[nodiscard]] std::size_t channels() const;  // of which something is kept

 private:
  using Wake = std::pair<WallTime, std::string>;
  struct Stripe {
    mutable std::mutex lock;
    std::unordered_map<std::string, ChannelState> channels;
    std::unordered_set<std::string> subscribed;
    std::priority_queue<Wake, std::vector<Wake>, std::greater<>> wakes;
  };
  static constexpr std::size_t stripe_count = 64;

  [[nodiscard]] Stripe& stripe_of(const std::string& channel);
  [[nodiscard]] Outcome<ChannelState*> find_or_add(Stripe& stripe, const std::string& channel);
  [[nodiscard]] Outcome<ChannelState::Published> publish_in(Stripe& stripe, const std::string& channel,
                                                            Publication publication, const PublishOptions& options,
                                                            WallTime now);
  static void schedule(Stripe& stripe, const std::string& channel, ChannelState& state);
  static void sweep(Stripe& stripe, WallTime now);
  void sweep_another(WallTime now);
  // Runs `work(stripe, now)` in the channel's stripe and answers with what it returns.
  template <class T, class Work>
  void run(const std::string& channel, const Done<T>& done, Work work);

  Budget& budget_;
  Gate& gate_;
  WallClock clock_;
  std::function<void(const Fault&)> failed_;
  BrokerEvents* events_ = nullptr;
  std::array<Stripe, stripe_count> stripes_;
  std::atomic<std::size_t> next_swept_{0};
};

}  // namespace fairlead::server

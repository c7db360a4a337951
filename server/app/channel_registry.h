// SPDX-License-Identifier: Apache-2.0
// Which loops of this node listen to which channel, and with that which channels the node wants from the engine. Each
// loop tells of its first and last subscriber; the engine is asked for a channel once, however many loops want it.
#pragma once

#include "broker/broker.h"
#include "model/done.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace fairlead::server {

// Thread-safe.
class ChannelRegistry {
 public:
  // Hears of a channel's first and last subscriber on the whole node, in their order: it is called with the channel
  // locked, so it must neither block nor come back here.
  using Occupancy = std::function<void(const std::string& channel, bool occupied)>;

  ChannelRegistry(Broker& broker, Occupancy occupancy);

  // `done` is called once events of the channel reach the node, on any thread, perhaps within the call. A fault of the
  // engine takes the loop out again.
  void want(const std::string& channel, unsigned loop, Done<void> done);
  void unwant(const std::string& channel, unsigned loop);

  // The loops that want it, and its number (> 0; 0 when nobody wants it).
  struct Listeners {
    std::vector<unsigned> loops;
    std::int64_t number = 0;
  };
  [[nodiscard]] Listeners listeners(const std::string& channel) const;
  [[nodiscard]] std::int64_t number_of(const std::string& channel) const;
  // All channels that somebody wants.
  [[nodiscard]] std::vector<std::string> channels() const;
  [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

 private:
  // What the engine has been asked for. While it works, a change of mind waits for its answer.
  enum class Phase : std::uint8_t { absent, subscribing, subscribed, unsubscribing };
  struct Waiting {
    unsigned loop;
    Done<void> done;
  };
  struct Entry {
    std::int64_t number = 0;
    Phase phase = Phase::absent;
    std::vector<unsigned> loops;
    std::vector<Waiting> waiting;
  };
  struct Stripe {
    mutable std::mutex mutex;
    std::unordered_map<std::string, Entry> entries;
  };

  [[nodiscard]] Stripe& stripe_of(const std::string& channel);
  [[nodiscard]] const Stripe& stripe_of(const std::string& channel) const;
  void ask_subscribe(const std::string& channel);
  void ask_unsubscribe(const std::string& channel);
  void subscribed(const std::string& channel, const Outcome<void>& outcome);
  void unsubscribed(const std::string& channel);

  Broker& broker_;
  Occupancy occupancy_;
  std::atomic<std::int64_t> next_number_{1};
  std::atomic<std::size_t> size_{0};
  std::array<Stripe, 64> stripes_;
};

}  // namespace fairlead::server

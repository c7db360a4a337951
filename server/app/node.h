// SPDX-License-Identifier: Apache-2.0
// This process as one node: its loops with their hubs and sessions, tied to the engine. What a loop owns is touched on
// that loop alone; what loops share (the registries) is thread-safe.
#pragma once

#include "app/arrivals.h"
#include "app/channel_registry.h"
#include "app/latency.h"
#include "app/loop_broker.h"
#include "app/user_registry.h"
#include "broker/engine.h"
#include "config/settings.h"
#include "session/missed_cache.h"
#include "session/session.h"
#include "session/turnstile.h"
#include "transport/transports.h"

#include <fairlead/log.h>
#include <fairlead/loop.h>
#include <fairlead/time.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace fairlead::server {

class Node;

// What one loop owns.
class NodeLoop final : public ChannelInterest, public SessionDirectory, public std::enable_shared_from_this<NodeLoop> {
 public:
  NodeLoop(Node& node, LoopHandle loop, unsigned index);

  // ── From the engine, on any thread ────────────────────────────────────────────────────────────────────────────────
  // In this order, in one turn of the loop for all that have come until then. `began`: when it was published.
  void take(DeliveryPtr delivery, TimePoint began);
  void take(std::function<void(Hub&)> change);

  // ── ChannelInterest ───────────────────────────────────────────────────────────────────────────────────────────────
  void want(const std::string& channel, Done<void> done) override;
  void unwant(const std::string& channel) override;
  std::int64_t number_of(const std::string& channel) override;

  // ── SessionDirectory ──────────────────────────────────────────────────────────────────────────────────────────────
  bool entered(Session& session) override;
  void left(Session& session) override;
  bool take_of_user(const std::string& user, UserOperation operation, double per_second) override;

  // Copies, so that the sessions may end while one walks through them.
  [[nodiscard]] std::vector<std::shared_ptr<Session>> sessions() const;
  // Those of a user, or the one with that client id or session secret.
  struct Wanted {
    std::string user, client, secret;
  };
  [[nodiscard]] std::vector<std::shared_ptr<Session>> find(const Wanted& wanted) const;
  [[nodiscard]] std::size_t size() const noexcept { return by_client_.size(); }
  [[nodiscard]] std::int64_t connected_at_ms(const Session& session) const;
  // Ends the user's connections that have entered this node before that one (3504).
  void end_earlier(const std::string& user, std::uint64_t arrival);

  [[nodiscard]] const LoopHandle& loop() const noexcept { return loop_; }
  [[nodiscard]] unsigned index() const noexcept { return index_; }

  // Keeps of a client's header fields those that a backend is told: most are large, and nobody asks for them.
  void leave_forwarded(std::map<std::string, std::string>& headers) const;
  void forward(std::set<std::string> names) { forwarded_ = std::move(names); }

  Hub hub;
  SessionMetrics metrics;
  LoopBroker broker;
  std::shared_ptr<Gatekeeper> gate;
  Turnstile turnstile;
  MissedCache missed;
  SessionEnvironment environment;

 private:
  struct Entered {
    Session* session;
    std::string user;
    std::int64_t at_ms;
    std::uint64_t arrival;  // counted over all loops
  };
  struct Arrived {
    std::vector<DeliveryPtr> deliveries;
    std::vector<TimePoint> began;
    std::function<void(Hub&)> change;  // or empty, behind the deliveries
  };
  template <class Add>
  void arrive(Add add);
  void hand_over();
  void hand_over(const Arrived& arrived);
  void sweep_later();

  Node& node_;
  LoopHandle loop_;
  LoopTimer sweeping_;  // of `missed`
  unsigned index_;
  std::mutex arriving_;
  std::vector<Arrived> arrived_;
  std::set<std::string> forwarded_;  // in lower case
  std::unordered_map<std::string, Entered> by_client_;
  std::unordered_map<std::string, std::vector<Session*>> by_user_;  // of those that have a name
};

class Node final : public TransportHost, public BrokerEvents {
 public:
  struct Parts {
    Engine& engine;
    EventLog& events;  // of lifecycle events, perhaps filtered
    const PublicationEncoder& encoder;
    const Codec& json;
    const Codec& protobuf;
    TraceRing& trace;
    // The decisions for one loop, and how what has waited for keys comes back to it; they follow changed settings by
    // themselves.
    using Post = std::function<void(std::function<void()>)>;
    std::function<std::shared_ptr<Gatekeeper>(Post)> gatekeeper;
    LogSink log{};
  };
  Node(Parts parts, std::shared_ptr<const Settings> settings);

  // ── Life ──────────────────────────────────────────────────────────────────────────────────────────────────────────
  [[nodiscard]] Outcome<void> start_engine();
  void stop_engine();
  // ServerOptions::loop_started: before the loop accepts anybody.
  void loop_started(const LoopHandle& loop, unsigned index);
  void set_ready(bool ready) noexcept { ready_.store(ready); }
  [[nodiscard]] bool ready() const noexcept { return ready_.load(); }
  // For what comes next; sessions keep what they began with.
  void reconfigure(const std::shared_ptr<const Settings>& settings);
  // Tells everybody to come back (3001), spread evenly over the window. Blocks for as long; not on a loop.
  void send_away(Duration window);
  // From another thread: who is being sent away is no longer waited for.
  void hurry() noexcept { hurry_.store(true); }

  // ── TransportHost ─────────────────────────────────────────────────────────────────────────────────────────────────
  std::shared_ptr<Session> open_session(Outbox& outbox, Caller caller, Session::Options options) override;
  TimePoint now() const override { return Clock::now(); }
  const Codec& codec(WireFormat format) const override {
    return format == WireFormat::json ? parts_.json : parts_.protobuf;
  }
  const std::string& node_id() const override { return id_; }
  std::size_t queue_max_bytes() const override { return settings()->session.queue_max_bytes; }

  // ── BrokerEvents ──────────────────────────────────────────────────────────────────────────────────────────────────
  void on_publication(const std::string& channel, PublicationPtr publication, const StreamPosition& position,
                      PublicationPtr previous) override;
  void on_join(const std::string& channel, const ClientInfo& info) override;
  void on_leave(const std::string& channel, const ClientInfo& info) override;

  // ── For the API ───────────────────────────────────────────────────────────────────────────────────────────────────
  // Runs `work` on every loop; `done` once each has (on the last one's thread). A loop that has ended is passed over.
  void on_each_loop(std::function<void(NodeLoop&)> work, std::function<void()> done = {});
  [[nodiscard]] std::shared_ptr<const Settings> settings() const;
  [[nodiscard]] Broker& broker() noexcept { return parts_.engine.broker(); }
  [[nodiscard]] EventLog& events() noexcept { return parts_.events; }
  [[nodiscard]] Store& store() noexcept { return parts_.engine.store(); }
  [[nodiscard]] TraceRing& trace() noexcept { return parts_.trace; }
  [[nodiscard]] ChannelRegistry& channels() noexcept { return channels_; }
  [[nodiscard]] UserRegistry& users() noexcept { return users_; }
  [[nodiscard]] const Arrivals& arrivals() const noexcept { return arrivals_; }
  [[nodiscard]] Latencies& latencies() noexcept { return latencies_; }
  [[nodiscard]] TimePoint started_at() const noexcept { return started_at_; }
  [[nodiscard]] const PublicationEncoder& encoder() const noexcept { return parts_.encoder; }

 private:
  friend class NodeLoop;
  void occupancy_changed(const std::string& channel, bool occupied);
  [[nodiscard]] std::vector<std::shared_ptr<NodeLoop>> loops() const;
  [[nodiscard]] std::shared_ptr<NodeLoop> loop(unsigned index) const;

  Parts parts_;
  std::string id_;
  TimePoint started_at_ = Clock::now();
  std::atomic<bool> ready_{false};
  std::atomic<bool> hurry_{false};
  std::atomic<std::uint64_t> entered_{0};  // sessions so far
  mutable std::mutex mutex_;               // of what follows
  std::shared_ptr<const Settings> settings_;
  std::vector<std::shared_ptr<NodeLoop>> loops_;
  ChannelRegistry channels_;
  UserRegistry users_;
  Arrivals arrivals_;
  Latencies latencies_;
};

// 36 characters, version 4 (RFC 9562), from the system's entropy.
[[nodiscard]] std::string random_uuid();
[[nodiscard]] std::int64_t unix_ms(WallTime at);

}  // namespace fairlead::server

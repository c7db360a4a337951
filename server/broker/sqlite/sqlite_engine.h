// SPDX-License-Identifier: Apache-2.0
// The durable engine of one node. A call is answered only after COMMIT in WAL mode with synchronous=FULL, so what was
// acknowledged survives `kill -9` and power failures (of a disk that does not lie about fsync). One thread writes, in
// groups; another one reads, from committed snapshots alone. No caller ever waits for the disk.
//
// Memory is bounded: what waits for the two threads by number and bytes, beyond which calls are answered with `full`;
// all else is SQLite's page cache. Not bounded here: the names of subscribed channels, which the sessions' limits
// bound.
#pragma once

#include "broker/broker.h"
#include "broker/clock.h"
#include "broker/engine.h"
#include "broker/gate.h"
#include "broker/sqlite/guard.h"
#include "broker/sqlite/worker.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

namespace fairlead::server {

struct SqliteEngineSettings {
  std::string path{};
  std::uint64_t size_limit_bytes = 0;                            // of the database; 0: as much as the disk has
  std::size_t event_log_size = 1'000'000;                        // older events than these are dropped
  std::uint64_t always_checked_bytes = std::uint64_t{64} << 20;  // a file up to this size is checked at each start
  std::chrono::milliseconds stopping{10'000};                    // for what was taken before `stop`
  std::function<void(const Fault&)> failed{};                    // told of each call that the database refused
};

class SqliteEngine final : public Engine, private Broker, private EventLog, private Store {
 public:
  explicit SqliteEngine(SqliteEngineSettings settings, WallClock clock = system_wall_clock());
  ~SqliteEngine() override { stop(); }

  Broker& broker() noexcept override { return *this; }
  EventLog& events() noexcept override { return *this; }
  Store& store() noexcept override { return *this; }

 private:
  [[nodiscard]] Outcome<void> start(BrokerEvents& events) override;
  void stop() override;
  [[nodiscard]] std::string_view name() const noexcept override { return "sqlite"; }
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

  void append_all(std::vector<LifecycleEvent> events, Done<std::uint64_t> done) override;
  void read(std::uint64_t after, std::size_t limit, Done<LifecycleEvents> done) override;
  void acknowledge(std::uint64_t sequence, Done<void> done) override;

  void put(const std::string& table, const std::string& key, std::string value, WallTime until,
           Done<void> done) override;
  void remove(const std::string& table, const std::string& key, Done<void> done) override;
  void list(const std::string& table, Done<std::map<std::string, std::string>> done) override;

  // Of a few channels: who wants to hear of them, and the lock that keeps their events apart.
  struct Stripe {
    std::mutex lock;
    std::unordered_set<std::string> subscribed;
  };
  static constexpr std::size_t stripe_count = 64;
  [[nodiscard]] Stripe& stripe_of(const std::string& channel);
  template <class Tell>
  void tell(const std::string& channel, Tell tell);
  template <class T, class Work>
  void write(Done<T> done, std::size_t bytes, Work work);
  template <class T, class Work>
  void query(Done<T> done, Work work);
  void pass(const std::string& channel, Publication publication, const Done<PublishOutcome>& done);
  void begin_stream(const std::string& channel, const HistoryQuery& query, Done<History> done);
  [[nodiscard]] Fault named(Fault fault) const;
  [[nodiscard]] std::int64_t now_ms() const { return unix_ms(clock_()); }

  SqliteEngineSettings settings_;
  WallClock clock_;
  BrokerEvents* events_ = nullptr;
  Gate gate_;
  std::array<Stripe, stripe_count> stripes_;
  sqlite::Guard guard_;
  sqlite::Guard::Witness witness_;  // the writer's
  std::unique_ptr<sqlite::Worker> writer_;
  std::unique_ptr<sqlite::Worker> reader_;
};

}  // namespace fairlead::server

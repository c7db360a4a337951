// SPDX-License-Identifier: Apache-2.0
// The way of lifecycle events into the engine's log: with only what the configuration wants, one batch after the other,
// and again while the engine takes none. What waits is bounded; past the bound events are lost, and an event of the
// kind `events_lost` stands where they are missing.
#pragma once

#include "api/settings.h"
#include "broker/event_log.h"
#include "metrics/prometheus.h"

#include <fairlead/log.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace fairlead::server {

struct EventStreamEnvironment {
  // Calls once `delay` has passed, or never when there is nobody any more to do so.
  std::function<void(std::chrono::milliseconds delay, std::function<void()> call)> after;
  LogSink log;
  std::size_t waiting_limit = 100'000;
};

// Thread-safe. Outlives the engine's answers and the calls of `after`.
class EventStream final : public EventLog {
 public:
  EventStream(EventLog& log, const EventDeliverySettings& settings, EventStreamEnvironment environment);

  // Which kinds; whether there are events at all takes a restart.
  void reconfigure(const EventDeliverySettings& settings);
  // Called after each batch that was stored, on any thread. Before the first append.
  void on_append(std::function<void()> appended) { appended_ = std::move(appended); }
  // A process has begun: what the stream says of earlier ones is over. Once, when the engine runs.
  void begin(const std::string& node_name);
  // Waits until everything is stored, for a while; then the engine has all that is left at once, to store it while it
  // stops. Nothing is tried again after that.
  void finish(std::chrono::milliseconds within);
  // The engine has stopped: what it did not store is counted and said. The last call but readings.
  void ended();

  void append_all(std::vector<LifecycleEvent> events, Done<std::uint64_t> done) override;
  void read(std::uint64_t after, std::size_t limit, Done<LifecycleEvents> done) override {
    log_.read(after, limit, std::move(done));
  }
  void acknowledge(std::uint64_t sequence, Done<void> done) override { log_.acknowledge(sequence, std::move(done)); }

  [[nodiscard]] std::vector<MetricFamily> metrics() const;

 private:
  using Lock = std::unique_lock<std::mutex>;
  struct Waiting {
    LifecycleEvent event;
    Done<std::uint64_t> done;  // none: nobody asks
  };
  [[nodiscard]] bool wanted(const std::string& kind) const;
  void note_loss(std::int64_t time_ms);
  void pump(Lock& lock);
  void send(Lock& lock);
  void stored(const Outcome<std::uint64_t>& outcome);
  void hand_over(Lock& lock);
  void stored_at_the_end(const std::vector<Done<std::uint64_t>>& asked, const Outcome<std::uint64_t>& outcome);
  void retry_later(Lock& lock);
  void say(LogLevel level, const std::string& line) const;

  EventLog& log_;
  const EventStreamEnvironment environment_;
  const bool enabled_;
  std::function<void()> appended_;
  mutable std::mutex mutex_;  // of all below
  std::condition_variable changed_;
  std::vector<std::string> kinds_;
  std::deque<Waiting> waiting_;  // the first `sent_` of them are on their way
  std::size_t sent_ = 0;
  bool pumping_ = false, pausing_ = false, finishing_ = false, handed_over_ = false;
  std::size_t unanswered_ = 0;  // of those that were handed over: on their way, or refused
  unsigned failures_in_a_row_ = 0;
  std::uint64_t lost_ = 0, lost_in_a_row_ = 0;  // in a row: since nothing waited
};

}  // namespace fairlead::server

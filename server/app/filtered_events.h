// SPDX-License-Identifier: Apache-2.0
// The engine's event log, with only what the configuration wants in it.
#pragma once

#include "api/settings.h"
#include "broker/event_log.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::server {

// Thread-safe.
class FilteredEvents final : public EventLog {
 public:
  FilteredEvents(EventLog& log, const EventDeliverySettings& settings) : log_(log), enabled_(settings.enabled) {
    reconfigure(settings);
  }
  // Which kinds; whether there are events at all takes a restart.
  void reconfigure(const EventDeliverySettings& settings) {
    const std::scoped_lock lock(mutex_);
    kinds_ = settings.kinds;
  }

  // Called after each event that was stored, on any thread. Before the first append.
  void on_append(std::function<void()> appended) { appended_ = std::move(appended); }

  void append(LifecycleEvent event, Done<std::uint64_t> done) override {
    if (!enabled_ || !wanted(event.kind)) return done(std::uint64_t{0});
    log_.append(std::move(event), [this, done = std::move(done)](const Outcome<std::uint64_t>& outcome) {
      if (!outcome) failed_.fetch_add(1, std::memory_order_relaxed);
      if (outcome && appended_) appended_();
      done(outcome);
    });
  }
  void read(std::uint64_t after, std::size_t limit, Done<LifecycleEvents> done) override {
    log_.read(after, limit, std::move(done));
  }
  void acknowledge(std::uint64_t sequence, Done<void> done) override { log_.acknowledge(sequence, std::move(done)); }

  // Events that the engine could not take: each of them is one that the backend will not hear of.
  [[nodiscard]] std::uint64_t failed() const noexcept { return failed_.load(std::memory_order_relaxed); }

 private:
  [[nodiscard]] bool wanted(const std::string& kind) const {
    const std::scoped_lock lock(mutex_);
    return kinds_.empty() || std::ranges::find(kinds_, kind) != kinds_.end();
  }

  EventLog& log_;
  const bool enabled_;
  std::function<void()> appended_;
  mutable std::mutex mutex_;
  std::vector<std::string> kinds_;
  std::atomic<std::uint64_t> failed_{0};
};

}  // namespace fairlead::server

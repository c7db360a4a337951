// SPDX-License-Identifier: Apache-2.0
#include "broker/memory/memory_event_log.h"

#include "broker/answers.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace fairlead::server {

void MemoryEventLog::append_all(std::vector<LifecycleEvent> events, Done<std::uint64_t> done) {
  const Gate::Visit visit(gate_);
  if (!visit) return done(stopped());
  std::unique_lock lock(lock_);
  for (LifecycleEvent& event : events) {
    event.sequence = ++newest_;
    events_.push_back(std::move(event));
    if (events_.size() > limit_) events_.pop_front();
  }
  const std::uint64_t sequence = newest_;
  lock.unlock();
  done(sequence);
}

void MemoryEventLog::read(std::uint64_t after, std::size_t limit, Done<LifecycleEvents> done) {
  const Gate::Visit visit(gate_);
  if (!visit) return done(stopped());
  done(collect(after, limit));
}

LifecycleEvents MemoryEventLog::collect(std::uint64_t after, std::size_t limit) {
  const std::lock_guard lock(lock_);
  LifecycleEvents found{.events = {}, .newest = newest_, .acknowledged = acknowledged_, .lost_before = 0};
  if (first_kept() > acknowledged_ + 1) found.lost_before = first_kept();
  if (after >= newest_) return found;
  const std::size_t skipped = after < first_kept() ? 0 : static_cast<std::size_t>(after + 1 - first_kept());
  const std::size_t count = std::min(limit, events_.size() - skipped);
  const auto from = std::next(events_.begin(), static_cast<std::ptrdiff_t>(skipped));
  found.events.assign(from, std::next(from, static_cast<std::ptrdiff_t>(count)));
  return found;
}

void MemoryEventLog::acknowledge(std::uint64_t sequence, Done<void> done) {
  const Gate::Visit visit(gate_);
  if (!visit) return done(stopped());
  std::unique_lock lock(lock_);
  const bool allowed = sequence >= acknowledged_ && sequence <= newest_;
  if (allowed) acknowledged_ = sequence;
  while (!events_.empty() && first_kept() <= acknowledged_) events_.pop_front();
  lock.unlock();
  done(allowed ? Outcome<void>{} : Outcome<void>{not_acknowledgeable()});
}

}  // namespace fairlead::server

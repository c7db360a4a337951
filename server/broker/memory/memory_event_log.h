// SPDX-License-Identifier: Apache-2.0
// The event log in memory: a queue of bounded length. Answers before a call returns, on the caller's thread.
#pragma once

#include "broker/event_log.h"
#include "broker/gate.h"

#include <cstdint>
#include <deque>
#include <mutex>

namespace fairlead::server {

class MemoryEventLog final : public EventLog {
 public:
  MemoryEventLog(std::size_t limit, Gate& gate) : limit_(limit), gate_(gate) {}

  void append_all(std::vector<LifecycleEvent> events, Done<std::uint64_t> done) override;
  void read(std::uint64_t after, std::size_t limit, Done<LifecycleEvents> done) override;
  void acknowledge(std::uint64_t sequence, Done<void> done) override;

 private:
  [[nodiscard]] LifecycleEvents collect(std::uint64_t after, std::size_t limit);
  [[nodiscard]] std::uint64_t first_kept() const { return newest_ - events_.size() + 1; }

  std::size_t limit_;
  Gate& gate_;
  std::mutex lock_;
  std::deque<LifecycleEvent> events_;  // up to newest_, without holes
  std::uint64_t newest_ = 0;
  std::uint64_t acknowledged_ = 0;
};

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
// The engine of one process: quick, and gone with it.
//
// Bounded by `limit_bytes`: publications, positions, answers to idempotency keys, versions, presence, the store; what
// finds no room is answered with `full`. Bounded by number: lifecycle events. Not bounded here: the names of subscribed
// channels, because the sessions' own limits bound them.
#pragma once

#include "broker/clock.h"
#include "broker/engine.h"
#include "broker/gate.h"
#include "broker/memory/budget.h"
#include "broker/memory/memory_broker.h"
#include "broker/memory/memory_event_log.h"
#include "broker/memory/memory_store.h"

#include <cstddef>
#include <functional>

namespace fairlead::server {

struct MemoryEngineSettings {
  std::size_t limit_bytes = std::size_t{4} << 30;
  std::size_t event_log_size = 100'000;        // older events than these are dropped
  std::function<void(const Fault&)> failed{};  // told of each call for which there was no room
};

class MemoryEngine final : public Engine {
 public:
  explicit MemoryEngine(const MemoryEngineSettings& settings = {}, WallClock clock = system_wall_clock());

  MemoryBroker& broker() noexcept override { return broker_; }
  EventLog& events() noexcept override { return events_; }
  Store& store() noexcept override { return store_; }
  [[nodiscard]] std::size_t used_bytes() const noexcept { return budget_.used_bytes(); }

 private:
  Budget budget_;  // first: what the others hold is given back to it
  Gate gate_;
  MemoryBroker broker_;
  MemoryEventLog events_;
  MemoryStore store_;
};

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
#include "broker/memory/memory_engine.h"

#include <utility>

namespace fairlead::server {

MemoryEngine::MemoryEngine(const MemoryEngineSettings& settings, WallClock clock)
    : budget_(settings.limit_bytes),
      broker_(budget_, gate_, clock, settings.failed),
      events_(settings.event_log_size, gate_),
      store_(budget_, gate_, std::move(clock)) {}

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
// The engines that must conform.
#include "broker/conformance.h"
#include "broker/memory/memory_engine.h"

namespace fairlead::server {

namespace {
std::unique_ptr<Engine> memory(WallClock clock, std::size_t event_log_size) {
  return std::make_unique<MemoryEngine>(MemoryEngineSettings{.event_log_size = event_log_size}, std::move(clock));
}
}  // namespace

INSTANTIATE_TEST_SUITE_P(Engines, EngineConformance, testing::Values(EngineFactory{"memory", memory}),
                         [](const auto& engine) { return engine.param.name; });

}  // namespace fairlead::server

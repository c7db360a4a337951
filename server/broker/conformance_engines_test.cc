// SPDX-License-Identifier: Apache-2.0
// The engines that must conform.
#include "broker/conformance.h"
#include "broker/memory/memory_engine.h"
#include "broker/sqlite/sqlite_engine.h"
#include "broker/sqlite/temporary_folder_testing.h"

namespace fairlead::server {

namespace {

std::unique_ptr<Engine> make_memory(WallClock clock, std::size_t event_log_size) {
  return std::make_unique<MemoryEngine>(MemoryEngineSettings{.event_log_size = event_log_size}, std::move(clock));
}

// With the folder that it lives in.
class SqliteInFolder final : public Engine {
 public:
  SqliteInFolder(WallClock clock, std::size_t event_log_size)
      : engine_({.path = folder_.file("db"), .event_log_size = event_log_size}, std::move(clock)) {}
  Broker& broker() noexcept override { return engine_.broker(); }
  EventLog& events() noexcept override { return engine_.events(); }
  Store& store() noexcept override { return engine_.store(); }

 private:
  TemporaryFolder folder_;
  SqliteEngine engine_;
};

std::unique_ptr<Engine> make_sqlite(WallClock clock, std::size_t event_log_size) {
  return std::make_unique<SqliteInFolder>(std::move(clock), event_log_size);
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Engines, EngineConformance,
                         testing::Values(EngineFactory{"memory", make_memory}, EngineFactory{"sqlite", make_sqlite}),
                         [](const auto& engine) { return engine.param.name; });

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
#include "app/engines.h"

#include "broker/memory/memory_engine.h"
#include "broker/sqlite/sqlite_engine.h"

#include <utility>

namespace fairlead::server {

Outcome<std::unique_ptr<Engine>> make_engine(const EngineSettings& settings, std::function<void(const Fault&)> failed) {
  if (settings.type == "memory")
    return std::make_unique<MemoryEngine>(MemoryEngineSettings{.failed = std::move(failed)});
  if (settings.type == "sqlite") {
    if (settings.path.empty()) return std::unexpected(Fault{FaultKind::invalid, "engine.path names no file"});
    return std::make_unique<SqliteEngine>(SqliteEngineSettings{.path = settings.path, .failed = std::move(failed)});
  }
  return std::unexpected(Fault{FaultKind::unsupported, "there is no engine '" + settings.type + "'"});
}

}  // namespace fairlead::server

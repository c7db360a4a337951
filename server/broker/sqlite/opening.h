// SPDX-License-Identifier: Apache-2.0
// From a path to a database that can be trusted, or one sentence that says why not.
#pragma once

#include "broker/sqlite/database.h"
#include "broker/sqlite/guard.h"
#include "model/done.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace fairlead::server::sqlite {

struct Opened {
  std::unique_ptr<Database> writer;
  std::unique_ptr<Database> reader;
  Guard::Witness witness;
};

struct OpeningSettings {
  std::string path{};
  std::uint64_t size_limit_bytes = 0;      // 0: as much as the disk has
  std::uint64_t always_checked_bytes = 0;  // a file up to this size is checked row by row at each start
};

// `guard` is locked by it and holds the lock for as long as it lives.
[[nodiscard]] Outcome<Opened> open_database(const OpeningSettings& settings, Guard& guard);

}  // namespace fairlead::server::sqlite

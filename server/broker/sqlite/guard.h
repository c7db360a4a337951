// SPDX-License-Identifier: Apache-2.0
// A small file beside the database with two duties. Its lock keeps a second process out. And it witnesses how many
// transactions have been acknowledged: a write-ahead log that lost its end looks whole to SQLite, but the count in the
// database is then behind this one. It is not synchronised, so it may be behind after a power failure, never ahead.
#pragma once

#include "model/done.h"

#include <cstdint>
#include <optional>
#include <string>

namespace fairlead::server::sqlite {

class Guard {
 public:
  struct Witness {
    std::uint64_t identity = 0;  // of the database that it belongs to
    std::uint64_t transactions = 0;
  };

  Guard() = default;
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() { unlock(); }

  [[nodiscard]] Outcome<void> lock(const std::string& database_path);
  void unlock();
  [[nodiscard]] std::optional<Witness> read() const;  // nothing: new, or not readable
  void write(const Witness& witness) const;

 private:
  int file_ = -1;
};

}  // namespace fairlead::server::sqlite

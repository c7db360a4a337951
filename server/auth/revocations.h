// SPDX-License-Identifier: Apache-2.0
// Tokens and users that are no longer believed although their signatures are. Kept in memory, where every decision
// looks, and by the engine, so that they outlive the process. Thread-safe.
#pragma once

#include "broker/store.h"
#include "model/done.h"
#include "model/publication.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace fairlead::server {

struct Admitted;

class Revocations {
 public:
  static constexpr std::size_t entries_limit = 1'000'000;
  static constexpr std::size_t name_limit_bytes = 1024;

  // `store` outlives it and answers until it is stopped.
  explicit Revocations(Store& store) : store_(store) {}

  // Reads what the engine has; before any client is served.
  void load(Done<void> done);

  // One token, by its jti; forgotten after `until`, which should be the token's end. Effective when the call returns.
  void revoke_token(const std::string& id, WallTime until, Done<void> done);
  // All tokens of a user that were issued before a time, or do not say when.
  void revoke_user(const std::string& user, WallTime issued_before, WallTime until, Done<void> done);

  [[nodiscard]] bool is_revoked(const std::string& user, const std::string& token_id, std::int64_t issued_at,
                                WallTime now) const;
  // For connections that are open: those for which this is true should be ended with 3500.
  [[nodiscard]] bool is_revoked(const Admitted& admitted, WallTime now) const;

  [[nodiscard]] std::size_t size() const;

 private:
  struct UserEntry {
    std::int64_t issued_before = 0, until = 0;  // Unix seconds
  };
  [[nodiscard]] bool make_room(WallTime now);

  Store& store_;
  mutable std::mutex mutex_;
  std::map<std::string, std::int64_t> tokens_;  // until
  std::map<std::string, UserEntry> users_;
};

}  // namespace fairlead::server

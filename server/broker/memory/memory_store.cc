// SPDX-License-Identifier: Apache-2.0
#include "broker/memory/memory_store.h"

#include "broker/answers.h"

#include <utility>

namespace fairlead::server {

namespace {
constexpr std::size_t overhead_bytes = 256;
constexpr std::size_t expired_per_call = 64;
}  // namespace

void MemoryStore::put(const std::string& table, const std::string& key, std::string value, WallTime until,
                      Done<void> done) {
  const Gate::Visit visit(gate_);
  if (!visit) return done(stopped());
  const WallTime now = clock_();
  std::unique_lock lock(lock_);
  drop_expired(now);
  auto charge = budget_.take(overhead_bytes + key.size() + value.size());
  if (charge) tables_[table].put(key, {std::move(value), std::move(*charge)}, until);
  lock.unlock();
  if (charge) return done({});
  done(std::unexpected(Fault{FaultKind::full, "the memory engine has no room for another fact"}));
}

void MemoryStore::remove(const std::string& table, const std::string& key, Done<void> done) {
  const Gate::Visit visit(gate_);
  if (!visit) return done(stopped());
  std::unique_lock lock(lock_);
  if (const auto at = tables_.find(table); at != tables_.end()) at->second.erase(key);
  lock.unlock();
  done({});
}

void MemoryStore::list(const std::string& table, Done<std::map<std::string, std::string>> done) {
  const Gate::Visit visit(gate_);
  if (!visit) return done(stopped());
  const WallTime now = clock_();
  std::map<std::string, std::string> facts;
  std::unique_lock lock(lock_);
  drop_expired(now);
  if (const auto at = tables_.find(table); at != tables_.end()) {
    at->second.for_each(
        now, [&](const std::string& key, const Fact& fact) { facts.emplace_hint(facts.end(), key, fact.value); });
  }
  lock.unlock();
  done(std::move(facts));
}

void MemoryStore::drop_expired(WallTime now) {
  for (auto& [name, facts] : tables_) facts.drop_expired(now, expired_per_call);
}

}  // namespace fairlead::server

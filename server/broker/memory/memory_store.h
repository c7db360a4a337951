// SPDX-License-Identifier: Apache-2.0
// The store in memory. Answers before a call returns, on the caller's thread.
#pragma once

#include "broker/clock.h"
#include "broker/gate.h"
#include "broker/memory/budget.h"
#include "broker/memory/expiring_map.h"
#include "broker/store.h"

#include <map>
#include <mutex>
#include <string>

namespace fairlead::server {

class MemoryStore final : public Store {
 public:
  MemoryStore(Budget& budget, Gate& gate, WallClock clock) : budget_(budget), gate_(gate), clock_(std::move(clock)) {}

  void put(const std::string& table, const std::string& key, std::string value, WallTime until,
           Done<void> done) override;
  void remove(const std::string& table, const std::string& key, Done<void> done) override;
  void list(const std::string& table, Done<std::map<std::string, std::string>> done) override;

 private:
  struct Fact {
    std::string value;
    Budget::Charge charge;
  };
  void drop_expired(WallTime now);

  Budget& budget_;
  Gate& gate_;
  WallClock clock_;
  std::mutex lock_;
  std::map<std::string, ExpiringMap<Fact>> tables_;  // named by the server itself: a handful
};

}  // namespace fairlead::server

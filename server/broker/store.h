// SPDX-License-Identifier: Apache-2.0
// Small facts that outlive connections, in the engine: revoked tokens and users, for one. Threads and `done` as in
// broker.h.
#pragma once

#include "model/done.h"
#include "model/publication.h"

#include <map>
#include <string>

namespace fairlead::server {

class Store {
 public:
  virtual ~Store() = default;
  // Replaces. Gone after `until`.
  virtual void put(const std::string& table, const std::string& key, std::string value, WallTime until,
                   Done<void> done) = 0;
  virtual void remove(const std::string& table, const std::string& key, Done<void> done) = 0;
  // All that have not expired.
  virtual void list(const std::string& table, Done<std::map<std::string, std::string>> done) = 0;
};

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
// Where the sessions of emulated transports live: POST /emulation may come to any loop and is passed on to theirs.
#pragma once

#include <fairlead/loop.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace fairlead::server {

class Link;

// Thread-safe. A secret is as long as a UUID is random, so finding one is knowing it.
class EmulatedSessions {
 public:
  struct Place {
    LoopHandle loop;
    std::weak_ptr<Link> link;  // to be locked on that loop alone
  };

  void add(std::string secret, LoopHandle loop, std::weak_ptr<Link> link) {
    const std::scoped_lock lock(mutex_);
    places_.insert_or_assign(std::move(secret), Place{std::move(loop), std::move(link)});
  }
  void remove(const std::string& secret) {
    const std::scoped_lock lock(mutex_);
    places_.erase(secret);
  }
  [[nodiscard]] std::optional<Place> find(const std::string& secret) const {
    const std::scoped_lock lock(mutex_);
    const auto found = places_.find(secret);
    if (found == places_.end()) return std::nullopt;
    return found->second;
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Place> places_;
};

}  // namespace fairlead::server

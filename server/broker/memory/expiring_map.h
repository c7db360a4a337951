// SPDX-License-Identifier: Apache-2.0
// A map whose entries end at a time of their own. What has ended is never shown; it is taken out in slices, oldest
// first, without looking at the others.
#pragma once

#include "model/publication.h"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace fairlead::server {

template <class Value>
class ExpiringMap {
 public:
  void put(const std::string& key, Value value, WallTime expires) {
    Entry entry{std::move(value), expires};
    const auto [at, fresh] = entries_.try_emplace(key, std::move(entry));
    if (!fresh) {  // then `entry` was left as it was
      order_.erase({at->second.expires, &at->first});
      at->second = std::move(entry);  // NOLINT(bugprone-use-after-move)
    }
    order_.emplace(expires, &at->first);
  }
  bool erase(const std::string& key) {
    const auto at = entries_.find(key);
    if (at == entries_.end()) return false;
    order_.erase({at->second.expires, &at->first});
    entries_.erase(at);
    return true;
  }
  [[nodiscard]] const Value* find(const std::string& key, WallTime now) const {
    const auto at = entries_.find(key);
    return at == entries_.end() || at->second.expires <= now ? nullptr : &at->second.value;
  }
  template <class Visit>
  void for_each(WallTime now, Visit visit) const {
    for (const auto& [key, entry] : entries_) {
      if (entry.expires > now) visit(key, entry.value);
    }
  }
  void drop_expired(WallTime now, std::size_t at_most) {
    for (; at_most > 0 && !order_.empty() && order_.begin()->first <= now; --at_most) drop_next();
  }
  void drop_next() {
    const auto first = order_.begin();
    const auto entry = entries_.find(*first->second);
    order_.erase(first);
    entries_.erase(entry);
  }
  [[nodiscard]] std::optional<WallTime> next_expiry() const {
    return order_.empty() ? std::nullopt : std::optional(order_.begin()->first);
  }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }  // with ended ones
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }

 private:
  struct Entry {
    Value value;
    WallTime expires;
  };
  std::map<std::string, Entry> entries_;
  std::set<std::pair<WallTime, const std::string*>> order_;  // names of entries, which do not move
};

}  // namespace fairlead::server

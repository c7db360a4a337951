// SPDX-License-Identifier: Apache-2.0
// The expanded keys of the connections that a loop is busy with. A connection itself keeps the bare key: an expanded
// one is 1 KB for each direction, and making it again costs about as much as sealing a small record.
#pragma once

#include <fairlead/bytes.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "tls/record/expanded_key.h"

namespace fairlead::tls::record {

// Names a key for the life of the loop: each direction of each connection has its own, and each generation another.
using KeyId = std::uint64_t;

// One per loop; not thread-safe. What is dropped is wiped.
class KeyCache {
 public:
  // `slots`: a power of two. Memory is taken at the first use.
  explicit KeyCache(std::size_t slots = default_slots);

  [[nodiscard]] KeyId next_id() noexcept { return ++last_id_; }
  // The expanded key, valid until the next call. `id` and `use` belong together for ever.
  [[nodiscard]] ExpandedKey& find(KeyId id, Use use, const TrafficKeys& keys);
  // The key is used no more.
  void forget(KeyId id) noexcept;

  [[nodiscard]] bool holds(KeyId id) const noexcept { return ids_[slot_of(id)] == id; }

  static constexpr std::size_t default_slots = 256;

 private:
  // Numbers are given out in turn, so neighbours never displace each other.
  [[nodiscard]] std::size_t slot_of(KeyId id) const noexcept { return id & (ids_.size() - 1); }

  std::vector<KeyId> ids_;               // whose key a slot holds; zero: nobody's
  std::unique_ptr<ExpandedKey[]> keys_;  // NOLINT(modernize-avoid-c-arrays): as many as ids_
  KeyId last_id_ = 0;
};

}  // namespace fairlead::tls::record

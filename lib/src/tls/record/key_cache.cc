// SPDX-License-Identifier: Apache-2.0
#include "tls/record/key_cache.h"

#include <bit>

#include "base/assert.h"

namespace fairlead::tls::record {

KeyCache::KeyCache(std::size_t slots) : ids_(slots) { FAIRLEAD_ASSERT(std::has_single_bit(slots)); }

ExpandedKey& KeyCache::find(KeyId id, Use use, const TrafficKeys& keys) {
  FAIRLEAD_ASSERT(id != 0 && id <= last_id_);
  // Not cleared: a slot is written before it is read.
  if (keys_ == nullptr) {
    keys_ = std::make_unique_for_overwrite<ExpandedKey[]>(ids_.size());  // NOLINT(modernize-avoid-c-arrays)
  }
  const std::size_t slot = slot_of(id);
  if (ids_[slot] != id) {
    keys_[slot].expand(keys.suite(), use, keys.key());
    ids_[slot] = id;
  }
  return keys_[slot];
}

void KeyCache::forget(KeyId id) noexcept {
  if (id == 0 || !holds(id)) return;
  const std::size_t slot = slot_of(id);
  keys_[slot].wipe();
  ids_[slot] = 0;
}

}  // namespace fairlead::tls::record

// SPDX-License-Identifier: Apache-2.0
#include "net/mailbox.h"

#include "base/assert.h"

#include <utility>

namespace fairlead::net {

SlotTable::~SlotTable() {
  for (auto& block : blocks_) delete block.load(std::memory_order_relaxed);
}

SlotTable::Slot* SlotTable::at(std::uint32_t slot) const noexcept {
  const std::size_t block = slot / block_slots;
  if (block >= block_count) return nullptr;
  Block* const storage = blocks_[block].load(std::memory_order_acquire);
  return storage != nullptr ? &(*storage)[slot % block_slots] : nullptr;
}

SlotTable::Name SlotTable::open(Channel& channel, std::size_t waiting_limit_bytes) {
  if (free_.empty()) {
    FAIRLEAD_ASSERT(used_ < block_slots * block_count);
    const std::uint32_t slot = used_++;
    if (slot % block_slots == 0) blocks_[slot / block_slots].store(new Block(), std::memory_order_release);
    free_.push_back(slot);
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  Slot& place = *at(slot);
  place.channel = &channel;
  place.limit_bytes.store(waiting_limit_bytes, std::memory_order_relaxed);  // seen by whoever sees the generation
  const std::uint32_t generation = place.generation.load(std::memory_order_relaxed) + 1;
  place.generation.store(generation, std::memory_order_release);
  return {slot, generation};
}

void SlotTable::close(Name name) {
  Slot& place = *at(name.slot);
  FAIRLEAD_ASSERT(place.generation.load(std::memory_order_relaxed) == name.generation);
  place.channel = nullptr;
  place.generation.store(name.generation + 1, std::memory_order_release);
  free_.push_back(name.slot);
}

Channel* SlotTable::find(Name name) const noexcept { return is_open(name) ? at(name.slot)->channel : nullptr; }

bool SlotTable::is_open(Name name) const noexcept {
  const Slot* place = at(name.slot);
  return place != nullptr && name.generation % 2 == 1 &&
         place->generation.load(std::memory_order_acquire) == name.generation;
}

bool SlotTable::reserve(Name name, std::size_t bytes) noexcept {
  Slot* const place = at(name.slot);
  if (place == nullptr) return false;
  const std::size_t limit = place->limit_bytes.load(std::memory_order_relaxed);
  std::size_t before = place->waiting_bytes.load(std::memory_order_relaxed);
  do {
    if (before != 0 && (bytes > limit || before > limit - bytes)) return false;
  } while (!place->waiting_bytes.compare_exchange_weak(before, before + bytes, std::memory_order_relaxed));
  return true;
}

void SlotTable::release(Name name, std::size_t bytes) noexcept {
  at(name.slot)->waiting_bytes.fetch_sub(bytes, std::memory_order_relaxed);
}

bool SlotTable::set_out_to_close(Name name) noexcept {
  Slot* const place = at(name.slot);
  return place != nullptr && place->closing.exchange(name.generation, std::memory_order_relaxed) != name.generation;
}

void SlotTable::closing_arrived(Name name) noexcept {
  std::uint32_t arrived = name.generation;  // another generation's may be on its way by now
  at(name.slot)->closing.compare_exchange_strong(arrived, 0, std::memory_order_relaxed);
}

bool Mailbox::post(std::function<void()> work) {
  const std::scoped_lock lock(mutex);
  io::Loop* const target = loop.load(std::memory_order_relaxed);
  if (target == nullptr) return false;
  target->post(std::move(work));
  return true;
}

bool Mailbox::on_loop() const noexcept {
  const io::Loop* const here = io::Loop::current();
  return here != nullptr && here == loop.load(std::memory_order_relaxed);
}

void Mailbox::detach() {
  const std::scoped_lock lock(mutex);
  loop.store(nullptr, std::memory_order_release);  // whoever sees it sees what went before
}

}  // namespace fairlead::net

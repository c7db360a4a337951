// SPDX-License-Identifier: Apache-2.0
// The way to a loop's connections from other threads: a slot and a generation name one, and a name that has become old
// is known as such on any thread.
#pragma once

#include "io/loop.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace fairlead::net {

class Channel;

// Slots in blocks that never move, so that other threads may look while the loop adds more.
class SlotTable {
 public:
  struct Slot {
    std::atomic<std::uint32_t> generation{0};   // odd: open
    std::atomic<std::uint32_t> closing{0};      // the generation that a close is on its way to
    Channel* channel = nullptr;                 // loop's thread only
    std::atomic<std::size_t> waiting_bytes{0};  // on their way to the loop
    std::atomic<std::size_t> limit_bytes{0};    // of them
  };
  struct Name {
    std::uint32_t slot;
    std::uint32_t generation;
  };

  SlotTable() = default;
  SlotTable(const SlotTable&) = delete;
  SlotTable& operator=(const SlotTable&) = delete;
  ~SlotTable();

  // Loop's thread.
  [[nodiscard]] Name open(Channel& channel, std::size_t waiting_limit_bytes);
  void close(Name name);
  [[nodiscard]] Channel* find(Name name) const noexcept;
  // Any thread.
  [[nodiscard]] bool is_open(Name name) const noexcept;
  // Room for a message on its way to the loop, from any thread; false when too much is on its way already. A single
  // larger one may stand alone. It is given back when the message has arrived, whoever is in the slot by then.
  [[nodiscard]] bool reserve(Name name, std::size_t bytes) noexcept;
  void release(Name name, std::size_t bytes) noexcept;
  // A close sets out, from any thread; false when one is on its way already. `closing_arrived` when it is there.
  [[nodiscard]] bool set_out_to_close(Name name) noexcept;
  void closing_arrived(Name name) noexcept;

 private:
  static constexpr std::size_t block_slots = 1024;
  static constexpr std::size_t block_count = 4096;  // 4 Mi connections per loop
  using Block = std::array<Slot, block_slots>;

  [[nodiscard]] Slot* at(std::uint32_t slot) const noexcept;

  std::array<std::atomic<Block*>, block_count> blocks_{};
  std::vector<std::uint32_t> free_;
  std::uint32_t used_ = 0;
};

// What a ConnectionHandle holds. Outlives the loop; then every answer is `closed`.
struct Mailbox {
  explicit Mailbox(io::Loop& owner) noexcept : loop(&owner) {}

  // Runs `work` on the loop unless it has gone. Any thread.
  bool post(std::function<void()> work);
  [[nodiscard]] bool on_loop() const noexcept;
  void detach();  // the loop goes

  std::mutex mutex;  // guards `loop` against going while somebody posts
  std::atomic<io::Loop*> loop;
  SlotTable slots;
};

}  // namespace fairlead::net

// SPDX-License-Identifier: Apache-2.0
// Sockets that became readable together are read in one call of the system, before the first of them is told.
#pragma once

#include "io/batch.h"
#include "io/transfer.h"

#include <fairlead/bytes.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

namespace fairlead::io {

class Socket;

// What a socket has here: the place of a read, or one of these.
inline constexpr std::uint8_t nothing_ahead = 255;
inline constexpr std::uint8_t kept_ahead = 254;

// One for each loop; loop's thread only. Each byte that was read belongs to its socket: what that does not take when it
// is told is kept until it reads again. Reads lie in memory that the sockets share, so as a rule nothing is copied.
class ReadAhead {
 public:
  // What one read brings at most. A socket that brings more than half of it is read when it is told: then the call
  // costs little beside the bytes, and those had better be used while they are in the cache.
  static constexpr std::size_t room_bytes = std::size_t{64} * 1024;

  explicit ReadAhead(Batch& batch) noexcept : batch_(batch) {}

  // A socket that will read as soon as it is told; `Batch::most` of them until `settle`. Nothing is read before `run`.
  void want(Socket& socket) noexcept;
  void run() noexcept;
  // All have been told: what was not taken is kept.
  void settle();

  // The socket reads: what was read ahead, if its `ahead_` says so. `room`: for what was kept.
  [[nodiscard]] Received take(Socket& socket, MutableBytes room) noexcept;
  // The socket goes.
  void forget(Socket& socket) noexcept;

 private:
  struct Kept {
    Transferred read;
    std::vector<std::byte> bytes;
    std::size_t taken = 0;
  };
  [[nodiscard]] bool has_storage() noexcept;
  [[nodiscard]] MutableBytes room_of(std::size_t place) noexcept;
  [[nodiscard]] Received take_kept(Socket& socket, MutableBytes room) noexcept;

  Batch& batch_;
  std::unique_ptr<std::byte[]> storage_;  // NOLINT(modernize-avoid-c-arrays): raw storage, once it is needed
  std::array<Batch::Read, Batch::most> reads_;
  std::array<Socket*, Batch::most> sockets_{};  // null: taken, or gone
  std::size_t count_ = 0;
  std::unordered_map<const Socket*, Kept> kept_;
};

}  // namespace fairlead::io

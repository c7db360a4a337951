// SPDX-License-Identifier: Apache-2.0
// What the sockets of a loop have to write, gathered until several of them can write in one call of the system.
#pragma once

#include "io/batch.h"

#include <fairlead/bytes.h>
#include <fairlead/time.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>

namespace fairlead::io {

class Socket;

// One for each loop; loop's thread only. Bytes of one socket leave in the order in which they were put in, in one piece
// as a rule; none waits longer than for the sockets of one group (`Batch::most`), or, once `patience` is over, for the
// one whose turn it is. An idle loop's is empty.
class Outbox {
 public:
  // More than this at a time is not copied, but written by its socket: the copy must cost less than the call that it
  // saves. Where each write is a call anyway, only small pieces are worth gathering, those of one socket.
  static constexpr std::size_t piece_bytes = std::size_t{32} * 1024;
  static constexpr std::size_t piece_bytes_one_by_one = std::size_t{4} * 1024;
  // For all of them. What comes to more leaves in two goes.
  static constexpr std::size_t room_bytes = std::size_t{256} * 1024;
  static constexpr std::chrono::microseconds patience{100};

  explicit Outbox(Batch& batch) noexcept : batch_(batch) {}
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  ~Outbox() = default;

  // See Socket::write_soon.
  [[nodiscard]] bool put(Socket& socket, Bytes bytes, More more);
  void drop(Socket& socket) noexcept;
  // Writes everything, and tells the sockets.
  void flush();
  // When something has waited for about `patience`. Called whenever a socket, or whoever had something to do, is done.
  void flush_if_due() {
    if (count_ != 0 && Clock::now() - since_ > patience) flush();
  }

 private:
  Batch& batch_;
  std::unique_ptr<std::byte[]> storage_;  // NOLINT(modernize-avoid-c-arrays): raw storage, once it is needed
  std::array<Batch::Write, Batch::most> writes_;
  std::array<Socket*, Batch::most> sockets_{};  // null: dropped
  std::size_t count_ = 0;
  std::size_t used_bytes_ = 0;
  TimePoint since_{};  // when the first was put in
};

}  // namespace fairlead::io

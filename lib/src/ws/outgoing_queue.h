// SPDX-License-Identifier: Apache-2.0
// What waits to be sent, in order: frames of our own in one pooled buffer, and references to shared frames whose bytes
// are not copied. Knows where frames and messages begin, so that what has not begun to leave can be dropped.
#pragma once

#include <fairlead/bytes.h>
#include <fairlead/shared_message.h>

#include "base/buffer.h"
#include "ws/frame.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace fairlead::ws {

class OutgoingQueue {
 public:
  // May a frame be dropped before it has begun to leave? Only whole messages may.
  enum class Keep : std::uint8_t { always, droppable };

  // With `by_message` the queue remembers each message, for `drop_oldest`.
  OutgoingQueue(BufferPool& pool, bool by_message) noexcept : owned_(pool), by_message_(by_message) {}

  [[nodiscard]] bool empty() const noexcept { return bytes() == 0; }
  [[nodiscard]] std::size_t bytes() const noexcept { return owned_.size() + shared_bytes_; }

  // Appends a frame; the payload is masked on the way when the header says so.
  void append(const FrameHeader& header, Bytes payload, Keep keep);
  // Appends a reference to the plain or the compressed frame of a shared message.
  void append(const SharedMessage& message, bool compressed);

  [[nodiscard]] std::size_t output(std::span<Bytes> views) const;
  void consume(std::size_t bytes);

  // Drops whole messages that have not begun to leave, oldest first, until at most `target_bytes` are left; how many.
  // Nothing, and none dropped, when that cannot be reached.
  std::optional<std::size_t> drop_oldest(std::size_t target_bytes);
  // What `drop_oldest` has to keep: what has begun to leave, control frames, pieces of streamed messages.
  [[nodiscard]] std::size_t undroppable_bytes() const noexcept { return bytes() - droppable_bytes_; }
  // Drops everything but the rest of the frame, or of those that were joined, that has begun to leave.
  void keep_begun_frame();
  void clear();

 private:
  // A run of bytes in order: of `owned_` when `shared` is empty, else the last `left` bytes of a shared frame.
  struct Piece {
    SharedMessage shared;
    std::size_t left = 0;
    bool compressed = false;
    bool droppable = false;
    bool begun = false;

    [[nodiscard]] Bytes view() const;
  };

  [[nodiscard]] bool tracks() const noexcept { return by_message_ || first_ < pieces_.size(); }
  void note_owned(std::size_t bytes, Keep keep);
  void consume_owned(std::size_t bytes);
  void consume_pieces(std::size_t bytes);
  void forget_consumed();
  void close_gaps(const std::vector<Piece>& kept, const std::vector<std::size_t>& kept_at, std::size_t end);

  Buffer owned_;
  std::vector<Piece> pieces_;  // empty while there is nothing but owned bytes and messages need not be told apart
  std::size_t shared_bytes_ = 0;
  std::size_t droppable_bytes_ = 0;  // with `by_message_`: of pieces that may be dropped and have not begun to leave
  std::uint64_t frame_left_ = 0;     // of the owned frame that has begun to leave; 0 between frames
  std::uint32_t first_ = 0;          // pieces before this one are consumed
  bool by_message_;
};

}  // namespace fairlead::ws

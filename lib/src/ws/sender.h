// SPDX-License-Identifier: Apache-2.0
// From messages to frames in the outgoing queue: kinds, masking, compression (RFC 7692 7.2.1), streamed messages, and
// what happens when the queue is full. Knows nothing of closing.
#pragma once

#include <fairlead/bytes.h>
#include <fairlead/message.h>
#include <fairlead/shared_message.h>

#include "ws/deflate.h"
#include "ws/frame.h"
#include "ws/outgoing_queue.h"
#include "ws/settings.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace fairlead::ws {

class Sender {
 public:
  Sender(Role role, const Settings& settings, const Resources& resources, std::optional<DeflateAgreement> deflate);
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;
  ~Sender();

  // While a streamed message is open these wait for its end, since nothing may stand between its fragments.
  [[nodiscard]] Sent message(MessageKind kind, Bytes payload, Compress compress);
  [[nodiscard]] Sent shared(const SharedMessage& message);
  // What `join` made, if that is the same to this receiver as one message after the other, and there is room for all.
  [[nodiscard]] bool joined(const SharedMessage& messages);
  [[nodiscard]] Sent chunk(MessageKind kind, Bytes payload, bool last, Compress compress);
  // Control frames are not subject to the overflow policy: see `has_room_for_control`.
  void control(Opcode opcode, Bytes payload);
  // False when the peer takes nothing any more, so that pongs to it cannot pile up.
  [[nodiscard]] bool has_room_for_control() const noexcept;

  [[nodiscard]] OutgoingQueue& queue() noexcept { return queue_; }
  [[nodiscard]] const OutgoingQueue& queue() const noexcept { return queue_; }
  // Of messages that wait for a streamed one to end; they are not in the queue yet.
  [[nodiscard]] std::size_t waiting_bytes() const noexcept;
  // For compressing.
  [[nodiscard]] std::size_t deflater_bytes() const noexcept {
    return deflater_ != nullptr ? deflater_->held_bytes() : 0;
  }
  // Messages that were taken or given and will never leave, since this was last asked: by the policies drop_newest and
  // drop_oldest, or because the streamed message that they waited for was never ended.
  [[nodiscard]] std::uint32_t take_dropped() noexcept { return std::exchange(dropped_, 0); }
  // No data follows: gives back what is only needed for sending it.
  void stop();

 private:
  struct Stream;

  [[nodiscard]] std::size_t frame_bytes(std::size_t payload_bytes) const noexcept;
  // What a message costs besides its frame while it waits for a streamed one.
  [[nodiscard]] std::size_t overhead_bytes() const noexcept;
  // What may be taken already when a frame of so many bytes comes.
  [[nodiscard]] std::size_t may_wait_before(std::size_t frame_bytes) const noexcept;
  [[nodiscard]] bool fits_piece(std::size_t payload_bytes) const noexcept;
  [[nodiscard]] bool make_room(std::size_t frame_bytes);
  [[nodiscard]] bool drop_oldest(std::size_t target_bytes);
  void put(MessageKind kind, Bytes payload, Compress compress);
  void put(const SharedMessage& message);
  void end_stream();
  // The compressed form stands for itself and needs a whole window. It would leave a hole in a context of our own.
  [[nodiscard]] bool sends_compressed(const SharedMessage& message) const noexcept;
  [[nodiscard]] bool compresses(std::size_t payload_bytes, Compress compress) const noexcept;
  // RFC 7692 7.1.1: having agreed to context takeover, we may still not use it. Dropping a queued message would leave a
  // hole in the peer's window, so `drop_oldest` never does.
  [[nodiscard]] bool takes_context_over() const noexcept;
  void append(FrameHeader header, Bytes payload, OutgoingQueue::Keep keep);
  void append_compressed(MessageKind kind, Bytes payload);
  void append_chunk(Bytes payload, bool last);
  void borrow_deflater();
  void end_compressed_message();

  const Settings* settings_;
  const Resources* resources_;
  OutgoingQueue queue_;
  std::unique_ptr<Deflater> deflater_;
  std::unique_ptr<Stream> stream_;  // while a streamed message is open
  std::optional<DeflateAgreement> deflate_;
  std::uint32_t dropped_ = 0;
  Role role_;
};

}  // namespace fairlead::ws

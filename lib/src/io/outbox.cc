// SPDX-License-Identifier: Apache-2.0
#include "io/outbox.h"

#include "io/socket.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

namespace fairlead::io {

bool Outbox::put(Socket& socket, Bytes bytes, More more) {
  if (bytes.empty()) return true;
  const bool fits = bytes.size() <= (batch_.in_use() ? piece_bytes : piece_bytes_one_by_one);
  const bool has_room = used_bytes_ + bytes.size() <= room_bytes;
  const bool gathers = socket.gathered_bytes_ != 0;
  const bool goes_on = gathers && sockets_[count_ - 1] == &socket;
  // Two writes of one socket never stand beside each other: were the first one not taken, the second might be.
  if (gathers && !(goes_on && fits && has_room)) {
    flush();
    return false;
  }
  if (!fits) return false;
  if (!has_room || (!goes_on && count_ == Batch::most)) flush();
  if (storage_ == nullptr) storage_ = std::make_unique_for_overwrite<std::byte[]>(room_bytes);
  std::byte* const at = storage_.get() + used_bytes_;
  std::memcpy(at, bytes.data(), bytes.size());
  used_bytes_ += bytes.size();
  socket.gathered_bytes_ += static_cast<std::uint32_t>(bytes.size());
  if (goes_on) {
    Batch::Write& write = writes_[count_ - 1];
    write.from = Bytes(write.from.data(), write.from.size() + bytes.size());
    write.more = more;
    return true;
  }
  if (count_ == 0) since_ = Clock::now();
  sockets_[count_] = &socket;
  writes_[count_++] = {.descriptor = socket.descriptor(), .from = Bytes(at, bytes.size()), .more = more};
  return true;
}

void Outbox::drop(Socket& socket) noexcept {
  if (std::exchange(socket.gathered_bytes_, 0) == 0) return;
  const auto found = std::ranges::find(std::span(sockets_).first(count_), &socket);
  *found = nullptr;
}

void Outbox::flush() {
  const std::size_t all = std::exchange(count_, 0);
  std::size_t count = 0;
  for (std::size_t i = 0; i < all; ++i) {
    if (sockets_[i] == nullptr) continue;
    sockets_[count] = sockets_[i];
    writes_[count++] = writes_[i];
  }
  used_bytes_ = 0;
  if (count == 0) return;
  const auto writes = std::span(writes_).first(count);
  batch_.run(writes);
  for (Socket* const socket : std::span(sockets_).first(count)) socket->gathered_bytes_ = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Socket& socket = *sockets_[i];
    const Transferred& done = writes[i].done;
    // It may have left: so that it does not leave twice, nothing does any more.
    if (done.what == Transfer::failed && done.error == Batch::lost) socket.shut_down();
    if (socket.events_ != nullptr) socket.events_->on_written(done.bytes, writes[i].from.subspan(done.bytes));
  }
}

}  // namespace fairlead::io

// SPDX-License-Identifier: Apache-2.0
#include "io/read_ahead.h"

#include "base/assert.h"
#include "io/socket.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <utility>

namespace fairlead::io {
namespace {

// One room begins so many bytes behind the other: were it a power of two, their first lines, which are all that short
// messages touch, would contend for the same few places of the cache.
constexpr std::size_t stride_bytes = ReadAhead::room_bytes + 1'088;

}  // namespace

MutableBytes ReadAhead::room_of(std::size_t place) noexcept {
  return {storage_.get() + place * stride_bytes, room_bytes};
}

void ReadAhead::want(Socket& socket) noexcept {
  FAIRLEAD_ASSERT(count_ < Batch::most);
  if (socket.ahead_ != nothing_ahead) return;
  sockets_[count_++] = &socket;
}

void ReadAhead::run() noexcept {
  if (count_ < 2 || !batch_.available() || !has_storage()) {  // one gains nothing
    count_ = 0;
    return;
  }
  for (std::size_t i = 0; i < count_; ++i) {
    reads_[i] = {.descriptor = sockets_[i]->descriptor(), .into = room_of(i)};
    sockets_[i]->ahead_ = static_cast<std::uint8_t>(i);
  }
  batch_.run(std::span(reads_).first(count_));
}

bool ReadAhead::has_storage() noexcept {
  // NOLINTNEXTLINE(cppcoreguidelines-owning-memory): owned by the next word
  if (storage_ == nullptr) storage_.reset(new (std::nothrow) std::byte[Batch::most * stride_bytes]);
  return storage_ != nullptr;
}

void ReadAhead::settle() {
  const std::size_t all = std::exchange(count_, 0);
  for (std::size_t i = 0; i < all; ++i) {
    Socket* const socket = std::exchange(sockets_[i], nullptr);
    if (socket == nullptr) continue;
    const Transferred& read = reads_[i].done;
    const Bytes bytes = room_of(i).first(read.bytes);
    kept_.insert_or_assign(socket, Kept{.read = read, .bytes = {bytes.begin(), bytes.end()}});
    socket->ahead_ = kept_ahead;
  }
}

Received ReadAhead::take(Socket& socket, MutableBytes room) noexcept {
  const std::size_t place = std::exchange(socket.ahead_, nothing_ahead);
  if (place == kept_ahead) return take_kept(socket, room);
  FAIRLEAD_ASSERT(place < count_ && sockets_[place] == &socket);
  sockets_[place] = nullptr;
  return socket.note_read(reads_[place].done, room_of(place));
}

// Nothing is said of what the descriptor has by now: it is read once more.
Received ReadAhead::take_kept(Socket& socket, MutableBytes room) noexcept {
  const auto found = kept_.find(&socket);
  FAIRLEAD_ASSERT(found != kept_.end());
  Kept& kept = found->second;
  Received read{.what = kept.read.what, .bytes = {}, .left_room = false, .error = kept.read.error};
  if (read.what == Transfer::some) {
    const Bytes left = Bytes(kept.bytes).subspan(kept.taken);
    read.bytes = room.first(std::min(room.size(), left.size()));
    std::memcpy(read.bytes.data(), left.data(), read.bytes.size());
    kept.taken += read.bytes.size();
    if (kept.taken < kept.bytes.size()) {
      socket.ahead_ = kept_ahead;
      return read;
    }
  }
  kept_.erase(found);
  return read;
}

void ReadAhead::forget(Socket& socket) noexcept {
  const std::size_t place = std::exchange(socket.ahead_, nothing_ahead);
  if (place == kept_ahead) kept_.erase(&socket);
  if (place < count_) sockets_[place] = nullptr;
}

}  // namespace fairlead::io

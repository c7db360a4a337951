// SPDX-License-Identifier: Apache-2.0
#include "base/buffer.h"

#include "base/assert.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace fairlead {

Buffer::Buffer(Buffer&& other) noexcept
    : pool_(other.pool_),
      storage_(std::move(other.storage_)),
      capacity_(std::exchange(other.capacity_, 0)),
      read_at_(std::exchange(other.read_at_, 0)),
      write_at_(std::exchange(other.write_at_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  pool_ = other.pool_;
  storage_ = std::move(other.storage_);
  capacity_ = std::exchange(other.capacity_, 0);
  read_at_ = std::exchange(other.read_at_, 0);
  write_at_ = std::exchange(other.write_at_, 0);
  return *this;
}

Buffer::~Buffer() { give_back(); }

MutableBytes Buffer::prepare(std::size_t wanted) {
  if (capacity_ - write_at_ < wanted) grow(wanted);
  return {storage_.get() + write_at_, capacity_ - write_at_};
}

void Buffer::commit(std::size_t written) {
  FAIRLEAD_ASSERT(written <= capacity_ - write_at_);
  write_at_ += written;
}

void Buffer::append(Bytes bytes) {
  if (bytes.empty()) return;
  std::memcpy(prepare(bytes.size()).data(), bytes.data(), bytes.size());
  commit(bytes.size());
}

void Buffer::consume(std::size_t read) {
  FAIRLEAD_ASSERT(read <= size());
  read_at_ += read;
  if (read_at_ == write_at_) read_at_ = write_at_ = 0;
}

void Buffer::truncate(std::size_t kept) {
  FAIRLEAD_ASSERT(kept <= size());
  write_at_ = read_at_ + kept;
}

void Buffer::release_if_empty() noexcept {
  if (empty()) give_back();
}

void Buffer::grow(std::size_t wanted) {
  const std::size_t held = size();
  FAIRLEAD_ASSERT(wanted <= static_cast<std::size_t>(-1) / 4 - held);
  // Moving the unread bytes to the front is enough when at least half of the storage has been read.
  if (held + wanted <= capacity_ && read_at_ >= capacity_ / 2) {
    std::memmove(storage_.get(), storage_.get() + read_at_, held);
    read_at_ = 0;
    write_at_ = held;
    return;
  }
  const std::size_t floor = pool_ != nullptr ? pool_->block_bytes() : 256;
  const std::size_t bytes = std::max({held + wanted, capacity_ + capacity_ / 2, floor});
  auto larger = pool_ != nullptr ? pool_->lend(bytes) : std::make_unique_for_overwrite<std::byte[]>(bytes);
  if (held != 0) std::memcpy(larger.get(), storage_.get() + read_at_, held);
  give_back();
  storage_ = std::move(larger);
  capacity_ = bytes;
  write_at_ = held;
}

void Buffer::give_back() noexcept {
  if (storage_ != nullptr && pool_ != nullptr) pool_->take_back(std::move(storage_), capacity_);
  storage_.reset();
  capacity_ = read_at_ = write_at_ = 0;
}

std::unique_ptr<std::byte[]> BufferPool::lend(std::size_t bytes) {
  lent_bytes_ += bytes;
  if (bytes == block_bytes_ && !idle_.empty()) {
    auto block = std::move(idle_.back());
    idle_.pop_back();
    return block;
  }
  return std::make_unique_for_overwrite<std::byte[]>(bytes);
}

void BufferPool::take_back(std::unique_ptr<std::byte[]> block, std::size_t bytes) noexcept {
  FAIRLEAD_ASSERT(bytes <= lent_bytes_);
  lent_bytes_ -= bytes;
  if (bytes != block_bytes_ || idle_.size() >= keep_) return;
  if (idle_.capacity() == 0) idle_.reserve(keep_);
  idle_.push_back(std::move(block));
}

}  // namespace fairlead

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
  constexpr std::size_t smallest = 256;
  const std::size_t needed = std::max(held + wanted, capacity_ + capacity_ / 2);
  const std::size_t bytes = pool_ != nullptr ? pool_->rounded(needed) : std::max(needed, smallest);
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

std::size_t BufferPool::size_class(std::size_t bytes) const noexcept {
  std::size_t index = 0;
  while (index < size_classes && block_bytes_ << index < bytes) ++index;
  return index;
}

std::size_t BufferPool::rounded(std::size_t bytes) const noexcept {
  const std::size_t index = size_class(bytes);
  return index < size_classes ? block_bytes_ << index : bytes;
}

std::unique_ptr<std::byte[]> BufferPool::lend(std::size_t bytes) {
  lent_bytes_ += bytes;
  const std::size_t index = size_class(bytes);
  if (index == size_classes || idle_[index].empty()) return std::make_unique_for_overwrite<std::byte[]>(bytes);
  auto block = std::move(idle_[index].back());
  idle_[index].pop_back();
  return block;
}

void BufferPool::take_back(std::unique_ptr<std::byte[]> block, std::size_t bytes) noexcept {
  FAIRLEAD_ASSERT(bytes <= lent_bytes_);
  lent_bytes_ -= bytes;
  const std::size_t index = size_class(bytes);
  if (index == size_classes) return;
  const std::size_t keep = index == 0 ? keep_ : keep_large;
  auto& idle = idle_[index];
  if (idle.size() >= keep) return;
  if (idle.capacity() == 0) idle.reserve(keep);
  idle.push_back(std::move(block));
}

}  // namespace fairlead

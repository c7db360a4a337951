// SPDX-License-Identifier: Apache-2.0
#include "base/buffer.h"

#include "base/assert.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace fairlead {

namespace {

BufferBlockPtr make_block(std::size_t bytes) {
  return BufferBlockPtr(new (::operator new(sizeof(BufferBlock) + bytes)) BufferBlock{.capacity = bytes});
}

}  // namespace

Buffer::Buffer(Buffer&& other) noexcept : pool_(other.pool_), block_(std::move(other.block_)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  pool_ = other.pool_;
  block_ = std::move(other.block_);
  return *this;
}

Buffer::~Buffer() { give_back(); }

MutableBytes Buffer::prepare(std::size_t wanted) {
  if (block_ == nullptr || block_->capacity - block_->write_at < wanted) grow(wanted);
  return {block_->bytes() + block_->write_at, block_->capacity - block_->write_at};
}

void Buffer::commit(std::size_t written) {
  FAIRLEAD_ASSERT(block_ != nullptr && written <= block_->capacity - block_->write_at);
  block_->write_at += written;
}

void Buffer::append(Bytes bytes) {
  if (bytes.empty()) return;
  std::memcpy(prepare(bytes.size()).data(), bytes.data(), bytes.size());
  commit(bytes.size());
}

void Buffer::consume(std::size_t read) {
  FAIRLEAD_ASSERT(read <= size());
  if (block_ == nullptr) return;
  block_->read_at += read;
  if (block_->read_at == block_->write_at) clear();
}

void Buffer::truncate(std::size_t kept) {
  FAIRLEAD_ASSERT(kept <= size());
  if (block_ != nullptr) block_->write_at = block_->read_at + kept;
}

void Buffer::release_if_empty() noexcept {
  if (empty()) give_back();
}

void Buffer::grow(std::size_t wanted) {
  const std::size_t held = size();
  const std::size_t had = capacity();
  FAIRLEAD_ASSERT(wanted <= static_cast<std::size_t>(-1) / 4 - held);
  // Moving the unread bytes to the front is enough when at least half of the storage has been read.
  if (block_ != nullptr && held + wanted <= had && block_->read_at >= had / 2) {
    std::memmove(block_->bytes(), block_->bytes() + block_->read_at, held);
    block_->read_at = 0;
    block_->write_at = held;
    return;
  }
  constexpr std::size_t smallest = 256;
  const std::size_t needed = std::max(held + wanted, had + had / 2);
  const std::size_t bytes = pool_ != nullptr ? pool_->rounded(needed) : std::max(needed, smallest);
  BufferBlockPtr larger = pool_ != nullptr ? pool_->lend(bytes) : make_block(bytes);
  if (held != 0) std::memcpy(larger->bytes(), readable().data(), held);
  give_back();
  block_ = std::move(larger);
  block_->write_at = held;
}

void Buffer::give_back() noexcept {
  if (block_ != nullptr && pool_ != nullptr) pool_->take_back(std::move(block_));
  block_.reset();
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

BufferBlockPtr BufferPool::lend(std::size_t bytes) {
  lent_bytes_ += bytes;
  const std::size_t index = size_class(bytes);
  if (index == size_classes || idle_[index].empty()) return make_block(bytes);
  BufferBlockPtr block = std::move(idle_[index].back());
  idle_[index].pop_back();
  block->read_at = block->write_at = 0;
  return block;
}

void BufferPool::take_back(BufferBlockPtr block) noexcept {
  FAIRLEAD_ASSERT(block->capacity <= lent_bytes_);
  lent_bytes_ -= block->capacity;
  const std::size_t index = size_class(block->capacity);
  if (index == size_classes) return;
  const std::size_t keep = index == 0 ? keep_ : keep_large;
  auto& idle = idle_[index];
  if (idle.size() >= keep) return;
  if (idle.capacity() == 0) idle.reserve(keep);
  idle.push_back(std::move(block));
}

}  // namespace fairlead

// SPDX-License-Identifier: Apache-2.0
// A byte queue with two cursors, and a pool that lends its storage, so that an idle connection holds no buffer at all.
#pragma once

#include <fairlead/bytes.h>

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace fairlead {

class BufferPool;

// Storage with its cursors at the front: so a buffer without storage, which idle connections have several of, is two
// pointers. `capacity` bytes follow.
struct alignas(16) BufferBlock {
  std::size_t capacity;
  std::size_t read_at = 0;
  std::size_t write_at = 0;

  [[nodiscard]] std::byte* bytes() noexcept {
    return reinterpret_cast<std::byte*>(this + 1);  // NOLINT: the storage behind it
  }
};
struct DeleteBlock {
  void operator()(BufferBlock* block) const noexcept { ::operator delete(block); }
};
using BufferBlockPtr = std::unique_ptr<BufferBlock, DeleteBlock>;

// Bytes are appended at the end and consumed at the front. Invariant, asserted after each step:
//   0 <= read_at <= write_at <= capacity.
// An empty buffer gives its storage back (to the pool it was made with, else to the heap) on `release_if_empty`.
// Not thread-safe.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(BufferPool& pool) noexcept : pool_(&pool) {}
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();

  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return block_ != nullptr ? block_->write_at - block_->read_at : 0; }
  [[nodiscard]] std::size_t capacity() const noexcept { return block_ != nullptr ? block_->capacity : 0; }
  [[nodiscard]] Bytes readable() const noexcept {
    return block_ != nullptr ? Bytes(block_->bytes() + block_->read_at, size()) : Bytes();
  }
  [[nodiscard]] MutableBytes readable() noexcept {
    return block_ != nullptr ? MutableBytes(block_->bytes() + block_->read_at, size()) : MutableBytes();
  }

  // At least `wanted` writable bytes; `commit(n)` makes the first n of them readable. Views given out before are void.
  [[nodiscard]] MutableBytes prepare(std::size_t wanted);
  void commit(std::size_t written);

  void append(Bytes bytes);
  void consume(std::size_t read);
  // Drops what was appended last, so that `kept` bytes stay readable.
  void truncate(std::size_t kept);
  void clear() noexcept {
    if (block_ != nullptr) block_->read_at = block_->write_at = 0;
  }
  // Drops the storage when nothing is in it.
  void release_if_empty() noexcept;

 private:
  void grow(std::size_t wanted);
  void give_back() noexcept;

  BufferPool* pool_ = nullptr;
  BufferBlockPtr block_;  // null while there is no storage
};

// Keeps idle blocks for reuse and counts what is lent. Blocks have the size `block_bytes` times a power of two; of the
// larger ones a few are kept too, so that a stream of large messages does not ask the system for memory each time. One
// per loop; not thread-safe; outlives its buffers.
class BufferPool {
 public:
  // `block_bytes`: the size that most buffers need. `keep`: how many idle blocks of it at most.
  explicit BufferPool(std::size_t block_bytes = std::size_t{32} * 1024, std::size_t keep = 16) noexcept
      : block_bytes_(block_bytes), keep_(keep) {}

  // Bytes of storage lent to buffers at the moment (for the memory budget).
  [[nodiscard]] std::size_t lent_bytes() const noexcept { return lent_bytes_; }
  [[nodiscard]] std::size_t block_bytes() const noexcept { return block_bytes_; }

 private:
  friend class Buffer;
  static constexpr std::size_t size_classes = 6;  // the largest block worth keeping is 32 times the smallest: 1 MiB
  static constexpr std::size_t keep_large = 4;    // idle blocks of each larger size

  [[nodiscard]] std::size_t size_class(std::size_t bytes) const noexcept;
  [[nodiscard]] std::size_t rounded(std::size_t bytes) const noexcept;
  BufferBlockPtr lend(std::size_t bytes);
  void take_back(BufferBlockPtr block) noexcept;

  std::size_t block_bytes_;
  std::size_t keep_;
  std::size_t lent_bytes_ = 0;
  std::array<std::vector<BufferBlockPtr>, size_classes> idle_;
};

}  // namespace fairlead

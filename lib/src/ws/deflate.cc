// SPDX-License-Identifier: Apache-2.0
#include "ws/deflate.h"

#include "base/assert.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

namespace fairlead::ws {
namespace {

// RFC 7692 7.2.1: what an empty stored block leaves after its header bits.
constexpr std::array<std::byte, 4> sync_flush_tail{std::byte{0x00}, std::byte{0x00}, std::byte{0xFF}, std::byte{0xFF}};

constexpr int memory_level = 8;            // zlib's default: 128 KiB of hash chains for a 15 bit window
constexpr int smallest_raw_window = 9;     // zlib refuses raw streams with less
constexpr std::size_t step_bytes = 16384;  // room that is made at a time
constexpr int at_block_boundary = 128;     // zlib.h: inflate() stopped between blocks
constexpr int unused_bits_of_last_byte = 7;

// zlib does not write to what it reads, but its struct says nothing of that.
Bytef* zlib_input(Bytes in) noexcept {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast,cppcoreguidelines-pro-type-const-cast)
  return reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
}
Bytef* zlib_output(MutableBytes out) noexcept {
  return reinterpret_cast<Bytef*>(out.data());  // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast)
}
uInt zlib_size(std::size_t bytes) noexcept {
  return static_cast<uInt>(std::min<std::size_t>(bytes, std::numeric_limits<uInt>::max()));
}

// zlib does not say how much it gives back, so each block begins with its size.
struct alignas(std::max_align_t) Block {
  std::size_t bytes;
};

voidpf allocate(voidpf memory, uInt items, uInt size) {
  const std::size_t bytes = std::size_t{items} * size;
  auto* block = static_cast<Block*>(std::malloc(sizeof(Block) + bytes));  // NOLINT: zlib's form
  if (block == nullptr) return nullptr;
  block->bytes = bytes;
  auto& counted = *static_cast<DeflateMemory*>(memory);
  counted.bytes += bytes;
  if (counted.all != nullptr) *counted.all += bytes;
  return block + 1;
}

void give_back(voidpf memory, voidpf address) {
  Block* const block = static_cast<Block*>(address) - 1;
  auto& counted = *static_cast<DeflateMemory*>(memory);
  counted.bytes -= block->bytes;
  if (counted.all != nullptr) *counted.all -= block->bytes;
  std::free(block);  // NOLINT: zlib's form
}

z_stream counted_by(DeflateMemory& memory) {
  z_stream z{};
  z.zalloc = allocate;
  z.zfree = give_back;
  z.opaque = &memory;
  return z;
}

}  // namespace

// ── Deflater ────────────────────────────────────────────────────────────────────────────────────────────────────────

struct Deflater::Stream {
  DeflateMemory memory;
  z_stream z = counted_by(memory);
};

Deflater::Deflater(int level, int window_bits, std::size_t* all_bytes)
    : stream_(std::make_unique<Stream>(DeflateMemory{.all = all_bytes})), level_(level), window_bits_(window_bits) {
  FAIRLEAD_ASSERT(window_bits >= 8 && window_bits <= MAX_WBITS);
  const int raw = -std::max(window_bits, smallest_raw_window);
  const int status = deflateInit2(&stream_->z, level, Z_DEFLATED, raw, memory_level, Z_DEFAULT_STRATEGY);
  FAIRLEAD_ASSERT(status == Z_OK);
}

Deflater::~Deflater() { deflateEnd(&stream_->z); }

void Deflater::reset() { deflateReset(&stream_->z); }

std::size_t Deflater::held_bytes() const noexcept { return stream_->memory.bytes; }

void Deflater::compress(Bytes piece, bool last, Buffer& out) {
  z_stream& z = stream_->z;
  const std::size_t before = out.size();
  bool more = true;
  while (more) {
    const uInt taken = zlib_size(piece.size());
    const MutableBytes room = out.prepare(step_bytes);
    z.next_in = zlib_input(piece);
    z.avail_in = taken;
    z.next_out = zlib_output(room);
    z.avail_out = zlib_size(room.size());
    const uInt offered = z.avail_out;
    const int status = deflate(&z, taken < piece.size() ? Z_NO_FLUSH : Z_SYNC_FLUSH);
    FAIRLEAD_ASSERT(status == Z_OK || status == Z_BUF_ERROR);  // the latter: nothing new since the last flush
    out.commit(offered - z.avail_out);
    piece = piece.subspan(taken - z.avail_in);
    more = !piece.empty() || z.avail_out == 0;
  }
  if (!last) return;
  const std::size_t made = out.size() - before;
  if (made >= sync_flush_tail.size()) out.truncate(out.size() - sync_flush_tail.size());
  // RFC 7692 7.2.3.6: nothing to compress is an empty block, whose first byte is zero.
  if (out.size() == before) out.append(Bytes(sync_flush_tail).first(1));
}

// ── Inflater ────────────────────────────────────────────────────────────────────────────────────────────────────────

struct Inflater::Stream {
  DeflateMemory memory;
  z_stream z = counted_by(memory);
  bool after_final_block = false;
};

Inflater::Inflater(int window_bits, std::size_t* all_bytes)
    : stream_(std::make_unique<Stream>(DeflateMemory{.all = all_bytes})), window_bits_(window_bits) {
  FAIRLEAD_ASSERT(window_bits >= 8 && window_bits <= MAX_WBITS);
  const int status = inflateInit2(&stream_->z, -window_bits);
  FAIRLEAD_ASSERT(status == Z_OK);
}

Inflater::~Inflater() { inflateEnd(&stream_->z); }

void Inflater::reset() {
  inflateReset(&stream_->z);
  stream_->after_final_block = false;
}

std::size_t Inflater::held_bytes() const noexcept { return stream_->memory.bytes; }

Bytes Inflater::tail() const noexcept { return stream_->after_final_block ? Bytes() : flush_tail(); }

Bytes Inflater::flush_tail() noexcept { return sync_flush_tail; }

Inflater::Step Inflater::inflate(Bytes in, MutableBytes out) {
  Step step;
  bool progress = true;
  while (progress && !step.malformed && step.produced < out.size()) {
    const Step once = inflate_once(in.subspan(step.consumed), out.subspan(step.produced));
    step.consumed += once.consumed;
    step.produced += once.produced;
    step.malformed = once.malformed;
    progress = once.consumed + once.produced != 0 && step.consumed < in.size();
  }
  return step;
}

Inflater::Step Inflater::inflate_once(Bytes in, MutableBytes out) {
  z_stream& z = stream_->z;
  z.next_in = zlib_input(in);
  z.avail_in = zlib_size(in.size());
  z.next_out = zlib_output(out);
  z.avail_out = zlib_size(out.size());
  const uInt offered = z.avail_in;
  const uInt wanted = z.avail_out;
  const int status = ::inflate(&z, Z_SYNC_FLUSH);
  const Step step{.consumed = offered - z.avail_in, .produced = wanted - z.avail_out};
  if (status == Z_STREAM_END) {
    // RFC 7692 7.2.3.4: a final block does not end the message, let alone the connection; the window stays.
    inflateResetKeep(&z);
    stream_->after_final_block = true;
    return step;
  }
  if (step.consumed + step.produced != 0) stream_->after_final_block = false;
  const bool sound = status == Z_OK || status == Z_BUF_ERROR;  // the latter: nothing could be done
  return {.consumed = step.consumed, .produced = step.produced, .malformed = !sound};
}

bool Inflater::at_message_end() const noexcept {
  const int state = stream_->z.data_type;
  return stream_->after_final_block || ((state & at_block_boundary) != 0 && (state & unused_bits_of_last_byte) == 0);
}

// ── DeflatePool ─────────────────────────────────────────────────────────────────────────────────────────────────────

namespace {

template <class Coder, class Matches>
std::unique_ptr<Coder> take_matching(std::vector<std::unique_ptr<Coder>>& idle, Matches matches) {
  const auto found = std::ranges::find_if(idle, matches);
  if (found == idle.end()) return nullptr;
  auto coder = std::move(*found);
  idle.erase(found);
  return coder;
}

}  // namespace

std::unique_ptr<Deflater> DeflatePool::lend_deflater(int level, int window_bits) {
  auto idle = take_matching(
      deflaters_, [&](const auto& one) { return one->level() == level && one->window_bits() == window_bits; });
  if (idle == nullptr) return std::make_unique<Deflater>(level, window_bits, held_bytes_.get());
  idle->reset();
  return idle;
}

std::unique_ptr<Inflater> DeflatePool::lend_inflater(int window_bits) {
  auto idle = take_matching(inflaters_, [&](const auto& one) { return one->window_bits() == window_bits; });
  if (idle == nullptr) return std::make_unique<Inflater>(window_bits, held_bytes_.get());
  idle->reset();
  return idle;
}

void DeflatePool::take_back(std::unique_ptr<Deflater> deflater) {
  if (deflater != nullptr && deflaters_.size() < keep_) deflaters_.push_back(std::move(deflater));
}

void DeflatePool::take_back(std::unique_ptr<Inflater> inflater) {
  if (inflater != nullptr && inflaters_.size() < keep_) inflaters_.push_back(std::move(inflater));
}

}  // namespace fairlead::ws

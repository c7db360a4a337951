// SPDX-License-Identifier: Apache-2.0
#include "ws/outgoing_queue.h"

#include "base/assert.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace fairlead::ws {
namespace {

// An idle queue keeps room for this many pieces, so that a stream of shared messages allocates nothing.
constexpr std::size_t idle_pieces = 4;

// The size of the frame of ours at the front of `frames`.
std::uint64_t frame_size(Bytes frames) {
  const bool masked = (std::to_integer<unsigned>(frames[1]) & 0x80U) != 0;
  const FrameRules rules{.reader = masked ? Role::server : Role::client, .deflate = true};
  const auto header = parse_frame_header(frames, rules);
  FAIRLEAD_ASSERT(header.has_value() && header->has_value());
  return (*header)->size + (*header)->payload_bytes;
}

}  // namespace

Bytes OutgoingQueue::Piece::view() const {
  return (compressed ? shared.compressed_frame() : shared.frame()).last(left);
}

void OutgoingQueue::append(const FrameHeader& header, Bytes payload, Keep keep) {
  const std::size_t before = owned_.size();
  const std::size_t head = header_bytes(header.payload_bytes, header.masked);
  const MutableBytes room = owned_.prepare(head + payload.size());
  write_frame_header(header, room);
  if (header.masked) {
    copy_masked(payload, room.subspan(head), header.mask);
  } else if (!payload.empty()) {
    std::memcpy(room.data() + head, payload.data(), payload.size());
  }
  owned_.commit(head + payload.size());
  if (tracks()) note_owned(owned_.size() - before, keep);
}

void OutgoingQueue::note_owned(std::size_t bytes, Keep keep) {
  const bool droppable = by_message_ && keep == Keep::droppable;
  if (droppable) droppable_bytes_ += bytes;
  const bool merges = !by_message_ && first_ < pieces_.size() && !pieces_.back().shared;
  if (merges) {
    pieces_.back().left += bytes;
  } else {
    pieces_.push_back({.shared = {}, .left = bytes, .compressed = false, .droppable = droppable, .begun = false});
  }
}

void OutgoingQueue::append(const SharedMessage& message, bool compressed) {
  if (!tracks() && !owned_.empty()) pieces_.push_back({.shared = {}, .left = owned_.size()});
  const std::size_t size = (compressed ? message.compressed_frame() : message.frame()).size();
  pieces_.push_back(
      {.shared = message, .left = size, .compressed = compressed, .droppable = by_message_, .begun = false});
  shared_bytes_ += size;
  if (by_message_) droppable_bytes_ += size;
}

std::size_t OutgoingQueue::output(std::span<Bytes> views) const {
  if (views.empty() || empty()) return 0;
  if (first_ == pieces_.size()) {
    views[0] = owned_.readable();
    return 1;
  }
  std::size_t filled = 0;
  std::size_t owned_at = 0;
  bool extends = false;  // the last view ends where the next owned bytes begin
  for (std::size_t index = first_; index < pieces_.size(); ++index) {
    const Piece& piece = pieces_[index];
    const Bytes view = piece.shared ? piece.view() : owned_.readable().subspan(owned_at, piece.left);
    if (!piece.shared) owned_at += piece.left;
    if (extends && !piece.shared) {
      views[filled - 1] = Bytes(views[filled - 1].data(), views[filled - 1].size() + view.size());
    } else {
      if (filled == views.size()) break;
      views[filled++] = view;
    }
    extends = !piece.shared;
  }
  return filled;
}

void OutgoingQueue::consume(std::size_t bytes) {
  FAIRLEAD_ASSERT(bytes <= this->bytes());
  if (first_ == pieces_.size()) {
    consume_owned(bytes);
  } else {
    consume_pieces(bytes);
  }
  if (empty()) clear();
}

void OutgoingQueue::consume_pieces(std::size_t bytes) {
  while (bytes != 0) {
    Piece& piece = pieces_[first_];
    const std::size_t step = std::min(bytes, piece.left);
    if (piece.droppable && !piece.begun) droppable_bytes_ -= piece.left;
    if (piece.shared) {
      shared_bytes_ -= step;
    } else {
      consume_owned(step);
    }
    piece.left -= step;
    piece.begun = true;
    bytes -= step;
    if (piece.left == 0) {
      piece.shared = {};
      ++first_;
    }
  }
  forget_consumed();
}

// Walks over frame headers only while a part is taken; usually everything is.
void OutgoingQueue::consume_owned(std::size_t bytes) {
  const Bytes frames = std::as_const(owned_).readable();
  if (bytes == frames.size()) {
    frame_left_ = 0;
  } else {
    for (std::size_t at = 0; at < bytes;) {
      if (frame_left_ == 0) frame_left_ = frame_size(frames.subspan(at));
      const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(frame_left_, bytes - at));
      at += step;
      frame_left_ -= step;
    }
  }
  owned_.consume(bytes);
}

void OutgoingQueue::forget_consumed() {
  constexpr std::size_t worth_moving = 64;
  if (first_ < worth_moving || first_ < pieces_.size() / 2) return;
  pieces_.erase(pieces_.begin(), pieces_.begin() + first_);
  first_ = 0;
}

void OutgoingQueue::clear() {
  owned_.clear();
  owned_.release_if_empty();
  pieces_.clear();
  droppable_bytes_ = 0;
  if (pieces_.capacity() > idle_pieces) pieces_.shrink_to_fit();
  shared_bytes_ = 0;
  frame_left_ = 0;
  first_ = 0;
}

std::optional<std::size_t> OutgoingQueue::drop_oldest(std::size_t target_bytes) {
  FAIRLEAD_ASSERT(by_message_);
  if (undroppable_bytes() > target_bytes) return std::nullopt;
  std::size_t dropped = 0;
  std::size_t left = bytes();
  std::vector<Piece> kept;
  std::vector<std::size_t> kept_at;  // where in `owned_` those of them begin that lie there
  std::size_t owned_at = 0;
  std::size_t index = first_;
  for (; left > target_bytes; ++index) {
    Piece& piece = pieces_[index];
    const bool owned = !piece.shared;
    const std::size_t size = piece.left;
    if (!piece.droppable || piece.begun) {
      if (owned) kept_at.push_back(owned_at);
      kept.push_back(std::move(piece));
    } else {
      if (!owned) shared_bytes_ -= size;
      droppable_bytes_ -= size;
      left -= size;
      piece = {};
      ++dropped;
    }
    if (owned) owned_at += size;
  }
  close_gaps(kept, kept_at, owned_at);
  // The rest of the queue, which may be long, stays where it is.
  first_ = static_cast<std::uint32_t>(index - kept.size());
  std::ranges::move(kept, pieces_.begin() + first_);
  forget_consumed();
  if (empty()) clear();
  return dropped;
}

// Of the first `end` bytes of `owned_` only those of `kept` stay: they move up, the last one first.
void OutgoingQueue::close_gaps(const std::vector<Piece>& kept, const std::vector<std::size_t>& kept_at,
                               std::size_t end) {
  const MutableBytes frames = owned_.readable();
  std::size_t to = end;
  auto from = kept_at.rbegin();
  for (auto piece = kept.rbegin(); piece != kept.rend(); ++piece) {
    if (piece->shared) continue;
    to -= piece->left;
    if (to != *from) std::memmove(frames.data() + to, frames.data() + *from, piece->left);
    ++from;
  }
  owned_.consume(to);
}

void OutgoingQueue::keep_begun_frame() {
  const bool front_is_shared = first_ < pieces_.size() && pieces_[first_].shared;
  if (front_is_shared && pieces_[first_].begun) {
    Piece begun = std::move(pieces_[first_]);
    clear();
    shared_bytes_ = begun.left;
    pieces_.push_back(std::move(begun));
    return;
  }
  droppable_bytes_ = 0;
  const std::uint64_t left = front_is_shared ? 0 : frame_left_;
  const auto owned_left = static_cast<std::size_t>(left);
  pieces_.clear();
  first_ = 0;
  shared_bytes_ = 0;
  owned_.truncate(owned_left);
  owned_.release_if_empty();
  frame_left_ = left;
  if (by_message_ && owned_left != 0)
    pieces_.push_back({.shared = {}, .left = owned_left, .compressed = false, .droppable = false, .begun = true});
}

}  // namespace fairlead::ws

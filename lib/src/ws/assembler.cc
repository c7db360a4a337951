// SPDX-License-Identifier: Apache-2.0
#include "ws/assembler.h"

#include "base/assert.h"

#include <algorithm>
#include <utility>

namespace fairlead::ws {
namespace {

// How much is inflated at a time, and the largest piece that `chunks` delivery makes of compressed data.
constexpr std::size_t inflate_step_bytes = std::size_t{16} * 1024;

}  // namespace

Assembler::Assembler(Role role, const Settings& settings, const Resources& resources, InflateRules inflate)
    : settings_(&settings), resources_(&resources), assembled_(resources.buffers), role_(role), inflate_(inflate) {}

Assembler::~Assembler() { give_back_inflater(); }

void Assembler::stop() {
  input_.discard();
  assembled_.clear();
  assembled_.release_if_empty();
  give_back_inflater();
  frame_ = {};
  message_ = {};
  unmasked_ = 0;
}

Assembler::Step Assembler::next(TimePoint now) {
  forget_delivered();
  while (true) {
    if (frame_.open) {
      Step step = message_.compressed ? read_compressed() : read_plain();
      if (!step || !std::holds_alternative<std::monostate>(*step)) return step;
      if (frame_.open && input_.empty()) return step;
      continue;
    }
    const auto header = next_header();
    if (!header) return std::unexpected(header.error());
    if (!*header) return Incoming();
    if (is_control((*header)->opcode)) return read_control(**header, now);
    if (const auto fault = begin_data(**header, now)) return std::unexpected(*fault);
    if (lies_whole()) return read_whole();
  }
}

std::expected<std::optional<FrameHeader>, Errc> Assembler::next_header() {
  (void)input_.gather(max_header_bytes);
  return parse_frame_header(input_.front(), {.reader = role_, .deflate = inflate_.negotiated});
}

// Control frames may stand between the fragments of a message and are handled on the way (RFC 6455 5.4, 5.5).
Assembler::Step Assembler::read_control(const FrameHeader& header, TimePoint now) {
  const std::size_t size = header.size + static_cast<std::size_t>(header.payload_bytes);
  if (!input_.gather(size)) return Incoming();
  const bool counted = header.opcode != Opcode::close;
  if (counted && !control_rate_.take(settings_->limits.control_frames_per_second, now))
    return std::unexpected(Errc::control_rate_exceeded);
  const MutableBytes payload = input_.front().first(size).subspan(header.size);
  if (header.masked) apply_mask(payload, header.mask);
  input_.take(size);
  return ControlFrame{header.opcode, payload};
}

std::optional<Errc> Assembler::begin_data(const FrameHeader& header, TimePoint now) {
  const bool continues = header.opcode == Opcode::continuation;
  // RFC 6455 5.4: a continuation belongs to a message that has begun, and messages are not interleaved.
  if (continues && !message_.open) return Errc::continuation_without_start;
  if (!continues && message_.open) return Errc::message_interrupted;
  if (!continues) {
    if (!message_rate_.take(settings_->limits.messages_per_second, now)) return Errc::message_rate_exceeded;
    message_.open = true;
    message_.kind = header.opcode == Opcode::text ? MessageKind::text : MessageKind::binary;
    message_.compressed = header.rsv1;
  }
  ++message_.fragments;
  if (const auto fault = check_limits(header)) return fault;
  if (!message_.compressed) message_.bytes += header.payload_bytes;
  frame_ = {.left = header.payload_bytes, .mask = header.mask, .mask_offset = 0, .fin = header.fin, .open = true};
  input_.take(header.size);
  return std::nullopt;
}

// By what the header announces, before a byte of it is stored.
std::optional<Errc> Assembler::check_limits(const FrameHeader& header) const noexcept {
  const Limits& limits = settings_->limits;
  if (message_.fragments > limits.fragments_per_message) return Errc::too_many_fragments;
  if (header.payload_bytes > limits.frame_bytes) return Errc::frame_over_limit;
  if (!message_.compressed && header.payload_bytes > limits.message_bytes - message_.bytes)
    return Errc::message_over_limit;
  return std::nullopt;
}

// ── Messages that are not compressed ────────────────────────────────────────────────────────────────────────────────

// A whole message in one run of received bytes, the usual case: it is handed over where it lies.
bool Assembler::lies_whole() noexcept {
  return frame_.fin && message_.fragments == 1 && !message_.compressed && input_.front().size() >= frame_.left;
}

Assembler::Step Assembler::read_whole() {
  const auto size = static_cast<std::size_t>(frame_.left);
  const MutableBytes payload = input_.front().first(size);
  if (role_ == Role::server) apply_mask(payload, frame_.mask);
  input_.take(size);
  // RFC 6455 8.1: fail on text that is not UTF-8.
  if (message_.kind == MessageKind::text && !text::is_utf8(payload)) return std::unexpected(Errc::invalid_utf8);
  return hand_over(payload, true);
}

Assembler::Step Assembler::read_plain() {
  const Bytes piece = unmask_front();
  take_payload(piece.size());
  frame_.open = frame_.left != 0;
  const bool last = frame_.fin && !frame_.open;
  if (!text_may_begin_with(piece)) return std::unexpected(Errc::invalid_utf8);
  if (last && !message_.utf8.complete()) return std::unexpected(Errc::invalid_utf8);
  if (in_chunks()) return hand_over(piece, last);
  assemble(piece);
  return last ? hand_over_assembled(true) : Incoming();
}

// A peer that announces a large frame gets room for twice what it has already sent, never for its word.
void Assembler::assemble(Bytes piece) {
  if (piece.empty()) return;
  const std::uint64_t earned = 2 * static_cast<std::uint64_t>(assembled_.size());
  const auto expected = static_cast<std::size_t>(std::min(frame_.left, earned));
  (void)assembled_.prepare(piece.size() + expected);
  assembled_.append(piece);
}

MutableBytes Assembler::unmask_front() {
  const MutableBytes front = input_.front();
  const MutableBytes piece = front.first(static_cast<std::size_t>(std::min<std::uint64_t>(front.size(), frame_.left)));
  if (role_ == Role::server && piece.size() > unmasked_) {
    const MutableBytes masked = piece.subspan(unmasked_);
    apply_mask(masked, frame_.mask, frame_.mask_offset);
    frame_.mask_offset = static_cast<std::uint8_t>((frame_.mask_offset + masked.size()) % sizeof(MaskKey));
    unmasked_ = piece.size();
  }
  return piece;
}

void Assembler::take_payload(std::size_t bytes) {
  input_.take(bytes);
  frame_.left -= bytes;
  unmasked_ -= std::min(unmasked_, bytes);
}

bool Assembler::text_may_begin_with(Bytes piece) noexcept {
  return message_.kind != MessageKind::text || message_.utf8.feed(piece);
}

// ── Compressed messages (RFC 7692 7.2.2) ────────────────────────────────────────────────────────────────────────────

Assembler::Step Assembler::read_compressed() {
  if (inflater_ == nullptr) inflater_ = resources_->deflate.lend_inflater(inflate_.window_bits);
  while (!frame_is_inflated()) {
    const Bytes in = compressed_input();
    if (in.empty() && !message_.more_output) return in_chunks() ? hand_over_assembled(false) : Incoming();
    if (const auto fault = inflate_some(in)) return std::unexpected(*fault);
    if (in_chunks() && assembled_.size() >= inflate_step_bytes) return hand_over_assembled(false);
  }
  frame_.open = false;
  if (frame_.fin) return finish_compressed();
  return in_chunks() ? hand_over_assembled(false) : Incoming();
}

bool Assembler::frame_is_inflated() noexcept {
  if (frame_.left != 0 || message_.more_output) return false;
  if (!frame_.fin) return true;
  if (!message_.tail_begun) {
    message_.tail_begun = true;
    message_.tail_left = static_cast<std::uint8_t>(inflater_->tail().size());
  }
  return message_.tail_left == 0;
}

Bytes Assembler::compressed_input() {
  if (frame_.left != 0) return unmask_front();
  return message_.tail_begun ? Inflater::flush_tail().last(message_.tail_left) : Bytes();
}

void Assembler::take_compressed(std::size_t bytes) {
  if (frame_.left != 0) {
    take_payload(bytes);
  } else {
    message_.tail_left = static_cast<std::uint8_t>(message_.tail_left - bytes);
  }
}

// One step of at most `inflate_step_bytes`, and never more than one byte past the message limit: whatever the
// compressed bytes would grow to, it is not grown. What came out before a fault is judged before the fault, so that
// the verdict does not depend on how the input was split.
std::optional<Errc> Assembler::inflate_some(Bytes in) {
  const std::uint64_t allowed = settings_->limits.message_bytes - message_.bytes;
  std::size_t room = in_chunks() ? inflate_step_bytes - assembled_.size() : inflate_step_bytes;
  if (allowed < room) room = static_cast<std::size_t>(allowed) + 1;
  const MutableBytes out = assembled_.prepare(room).first(room);
  const Inflater::Step step = inflater_->inflate(in, out);
  take_compressed(step.consumed);

  const auto welcome = static_cast<std::size_t>(std::min<std::uint64_t>(step.produced, allowed));
  if (!text_may_begin_with(out.first(welcome))) return Errc::invalid_utf8;
  if (step.produced > welcome) return Errc::deflate_over_limit;
  const bool stuck = !in.empty() && step.consumed + step.produced == 0;
  if (step.malformed || stuck) return Errc::deflate_malformed;
  assembled_.commit(step.produced);
  message_.bytes += step.produced;
  message_.more_output = step.produced == room;
  return std::nullopt;
}

Assembler::Step Assembler::finish_compressed() {
  if (!inflater_->at_message_end()) return std::unexpected(Errc::deflate_malformed);
  if (!message_.utf8.complete()) return std::unexpected(Errc::invalid_utf8);
  if (!inflate_.context_takeover) give_back_inflater();
  return hand_over_assembled(true);
}

void Assembler::give_back_inflater() {
  if (inflater_ != nullptr) resources_->deflate.take_back(std::move(inflater_));
}

// ── Handing over ────────────────────────────────────────────────────────────────────────────────────────────────────

Assembler::Step Assembler::hand_over_assembled(bool last) {
  delivered_ = true;
  return hand_over(std::as_const(assembled_).readable(), last);
}

// Each step is made in place, and views are copied field by field here and on their way to the handler: copied as a
// block right after its fields were written, a view waits for these writes, which cost as much as the rest of a small
// message.
Assembler::Step Assembler::hand_over(Bytes payload, bool last) {
  if (in_chunks()) return hand_over_chunk(payload, last);
  const MessageKind kind = message_.kind;
  const bool compressed = message_.compressed;
  if (last) end_message();
  return Step(std::in_place, std::in_place_type<MessageEvent>, MessageView{kind, payload, compressed});
}

Assembler::Step Assembler::hand_over_chunk(Bytes payload, bool last) {
  if (!last && payload.empty()) return Incoming();
  const ChunkEvent chunk{message_.kind, payload, !message_.announced, last};
  message_.announced = true;
  if (last) end_message();
  return Step(std::in_place, std::in_place_type<ChunkEvent>, chunk);
}

void Assembler::end_message() noexcept {
  frame_ = {};
  message_ = {};
}

void Assembler::forget_delivered() {
  if (!delivered_) return;
  delivered_ = false;
  assembled_.clear();
  assembled_.release_if_empty();
}

}  // namespace fairlead::ws

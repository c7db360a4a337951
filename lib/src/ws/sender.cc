// SPDX-License-Identifier: Apache-2.0
#include "ws/sender.h"

#include "base/assert.h"
#include "text/utf8.h"

#include <utility>

namespace fairlead::ws {
namespace {

// Room past the queue's limit that only control frames may use: the close frame and a few dozen pongs.
constexpr std::size_t control_slack_bytes = 4096;
// A scratch buffer that has grown past this is not kept for the next message.
constexpr std::size_t scratch_kept_bytes = std::size_t{256} * 1024;

Opcode opcode_of(MessageKind kind) noexcept { return kind == MessageKind::text ? Opcode::text : Opcode::binary; }

void empty_scratch(Buffer& scratch) {
  scratch.clear();
  if (scratch.capacity() > scratch_kept_bytes) scratch.release_if_empty();
}

}  // namespace

// A message that is sent in pieces (RFC 6455 5.4).
struct Sender::Stream {
  MessageKind kind = MessageKind::text;
  bool compressed = false;
  bool begun = false;  // its first frame is in the queue
  text::Utf8Validator utf8;
};

Sender::Sender(Role role, const Settings& settings, const Resources& resources, std::optional<DeflateAgreement> deflate)
    : settings_(&settings),
      resources_(&resources),
      queue_(resources.buffers, settings.limits.overflow == OverflowPolicy::drop_oldest),
      deflate_(deflate),
      role_(role) {}

Sender::~Sender() { stop(); }

void Sender::stop() {
  stream_.reset();
  if (deflater_ != nullptr) resources_->deflate.take_back(std::move(deflater_));
}

// ── Room ────────────────────────────────────────────────────────────────────────────────────────────────────────────

bool Sender::fits(std::size_t frame_bytes) const noexcept {
  const std::size_t limit = settings_->limits.outgoing_queue_bytes;
  // A message that is larger than the whole limit may still be sent: alone.
  return queue_.empty() || (queue_.bytes() <= limit && frame_bytes <= limit - queue_.bytes());
}

bool Sender::make_room(std::size_t frame_bytes) {
  if (fits(frame_bytes)) return true;
  const Limits& limits = settings_->limits;
  if (limits.overflow != OverflowPolicy::drop_oldest) return false;
  return queue_.drop_oldest(frame_bytes < limits.outgoing_queue_bytes ? limits.outgoing_queue_bytes - frame_bytes : 0);
}

bool Sender::has_room_for_control() const noexcept {
  const std::size_t limit = settings_->limits.outgoing_queue_bytes;
  return queue_.bytes() <= limit || queue_.bytes() - limit < control_slack_bytes;
}

// ── Whole messages ──────────────────────────────────────────────────────────────────────────────────────────────────

Sent Sender::message(MessageKind kind, Bytes payload, Compress compress) {
  if (stream_ != nullptr) return Sent::busy;
  // RFC 6455 5.6: text is UTF-8.
  if (kind == MessageKind::text && !text::is_utf8(payload)) return Sent::invalid;
  const bool masked = role_ == Role::client;
  if (!make_room(header_bytes(payload.size(), masked) + payload.size())) return Sent::over_limit;
  if (compresses(payload.size(), compress)) {
    append_compressed(kind, payload);
  } else {
    append({.opcode = opcode_of(kind)}, payload, OutgoingQueue::Keep::droppable);
  }
  return Sent::accepted;
}

Sent Sender::shared(const SharedMessage& message) {
  if (!message) return Sent::invalid;
  if (stream_ != nullptr) return Sent::busy;
  // RFC 6455 5.1: a client masks, each frame with its own key, so it cannot send the shared bytes.
  if (role_ == Role::client) return this->message(message.kind(), message.payload(), Compress::by_settings);
  // The compressed form stands for itself and needs a whole window. It would leave a hole in a context of our own.
  const bool suits = deflate_.has_value() && !takes_context_over() && deflate_->our_window_bits == 15;
  const bool compressed = suits && !message.compressed_frame().empty();
  const std::size_t size = compressed ? message.compressed_frame().size() : message.frame().size();
  if (!make_room(size)) return Sent::over_limit;
  queue_.append(message, compressed);
  return Sent::accepted;
}

void Sender::append(FrameHeader header, Bytes payload, OutgoingQueue::Keep keep) {
  header.payload_bytes = payload.size();
  header.masked = role_ == Role::client;
  // RFC 6455 5.3: a fresh key for each frame.
  if (header.masked) header.mask = fresh_mask_key(resources_->entropy);
  queue_.append(header, payload, keep);
}

void Sender::control(Opcode opcode, Bytes payload) {
  FAIRLEAD_ASSERT(payload.size() <= max_control_payload_bytes);
  append({.opcode = opcode}, payload, OutgoingQueue::Keep::always);
}

// ── Compression ─────────────────────────────────────────────────────────────────────────────────────────────────────

bool Sender::takes_context_over() const noexcept {
  return deflate_->our_context_takeover && settings_->limits.overflow != OverflowPolicy::drop_oldest;
}

bool Sender::compresses(std::size_t payload_bytes, Compress compress) const noexcept {
  if (!deflate_.has_value() || compress == Compress::never) return false;
  return compress == Compress::always || payload_bytes >= settings_->compress_from_bytes;
}

void Sender::borrow_deflater() {
  if (deflater_ != nullptr) return;
  deflater_ = resources_->deflate.lend_deflater(settings_->compression_level, deflate_->our_window_bits);
}

void Sender::append_compressed(MessageKind kind, Bytes payload) {
  borrow_deflater();
  Buffer& scratch = resources_->deflate.scratch();
  deflater_->compress(payload, true, scratch);
  // What did not become smaller is sent as it is, unless the context that both ends keep has taken it in already.
  const bool paid = takes_context_over() || scratch.size() < payload.size();
  const Bytes body = paid ? std::as_const(scratch).readable() : payload;
  append({.opcode = opcode_of(kind), .rsv1 = paid}, body, OutgoingQueue::Keep::droppable);
  empty_scratch(scratch);
  end_compressed_message();
}

void Sender::end_compressed_message() {
  if (takes_context_over()) return;
  if (settings_->compressor == CompressorUse::shared) {
    resources_->deflate.take_back(std::move(deflater_));
  } else {
    deflater_->reset();
  }
}

// ── Streamed messages ───────────────────────────────────────────────────────────────────────────────────────────────

Sent Sender::chunk(MessageKind kind, Bytes payload, bool last, Compress compress) {
  if (stream_ != nullptr && stream_->kind != kind) return Sent::invalid;
  text::Utf8Validator utf8 = stream_ != nullptr ? stream_->utf8 : text::Utf8Validator();
  if (kind == MessageKind::text && (!utf8.feed(payload) || (last && !utf8.complete()))) return Sent::invalid;
  if (!fits(header_bytes(payload.size(), role_ == Role::client) + payload.size())) return Sent::over_limit;
  if (stream_ == nullptr) {
    // The size of the whole is not known: what is streamed counts as large.
    const bool compressed = deflate_.has_value() && compress != Compress::never;
    stream_ = std::make_unique<Stream>(Stream{.kind = kind, .compressed = compressed, .begun = false, .utf8 = {}});
  }
  stream_->utf8 = utf8;
  append_chunk(payload, last);
  if (last) stream_.reset();
  return Sent::accepted;
}

void Sender::append_chunk(Bytes payload, bool last) {
  // RFC 6455 5.4, RFC 7692 6.1: opcode and RSV1 stand on the first frame only.
  const Opcode opcode = stream_->begun ? Opcode::continuation : opcode_of(stream_->kind);
  const FrameHeader header{.opcode = opcode, .fin = last, .rsv1 = stream_->compressed && !stream_->begun};
  stream_->begun = true;
  if (!stream_->compressed) {
    append(header, payload, OutgoingQueue::Keep::always);
    return;
  }
  borrow_deflater();
  Buffer& scratch = resources_->deflate.scratch();
  deflater_->compress(payload, last, scratch);
  append(header, std::as_const(scratch).readable(), OutgoingQueue::Keep::always);
  empty_scratch(scratch);
  if (last) end_compressed_message();
}

}  // namespace fairlead::ws

// SPDX-License-Identifier: Apache-2.0
#include "ws/sender.h"

#include "base/assert.h"
#include "text/utf8.h"

#include <algorithm>
#include <deque>
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

// A message that is sent in pieces (RFC 6455 5.4), and what waits for its end. That is not made into frames before: a
// compressor that keeps its context has to see messages in the order in which they leave.
struct Sender::Stream {
  struct Waiting {
    SharedMessage shared;         // or, when it is empty,
    std::size_t bytes = 0;        // so much of `payloads`
    std::size_t frame_bytes = 0;  // its frame and this record: small ones are bounded, too
    MessageKind kind = MessageKind::text;
    Compress compress = Compress::by_settings;
  };

  Stream(MessageKind of, bool as_compressed, BufferPool& pool) : kind(of), compressed(as_compressed), payloads(pool) {}

  MessageKind kind;
  bool compressed;
  bool begun = false;  // its first frame is in the queue
  text::Utf8Validator utf8;
  std::deque<Waiting> waiting;
  std::size_t waiting_bytes = 0;
  Buffer payloads;

  void wait(Waiting message) {
    waiting_bytes += message.frame_bytes;
    waiting.push_back(std::move(message));
  }
  void forget_first() {
    waiting_bytes -= waiting.front().frame_bytes;
    payloads.consume(waiting.front().bytes);
    waiting.pop_front();
  }
};

Sender::Sender(Role role, const Settings& settings, const Resources& resources, std::optional<DeflateAgreement> deflate)
    : settings_(&settings),
      resources_(&resources),
      queue_(resources.buffers, settings.limits.overflow == OverflowPolicy::drop_oldest),
      deflate_(deflate),
      role_(role) {}

Sender::~Sender() { stop(); }

void Sender::stop() {
  if (stream_ != nullptr) dropped_ += static_cast<std::uint32_t>(stream_->waiting.size());
  stream_.reset();
  if (deflater_ != nullptr) resources_->deflate.take_back(std::move(deflater_));
}

// ── Room ────────────────────────────────────────────────────────────────────────────────────────────────────────────

std::size_t Sender::waiting_bytes() const noexcept { return stream_ != nullptr ? stream_->waiting_bytes : 0; }

// Whoever waits until no more than half of the limit is taken has room for any message: so much of them and one more is
// held at most.
std::size_t Sender::may_wait_before(std::size_t frame_bytes) const noexcept {
  const std::size_t limit = settings_->limits.outgoing_queue_bytes;
  return std::max(limit / 2, limit - std::min(frame_bytes, limit));
}

std::size_t Sender::frame_bytes(std::size_t payload_bytes) const noexcept {
  return header_bytes(payload_bytes, role_ == Role::client) + payload_bytes;
}

std::size_t Sender::overhead_bytes() const noexcept { return stream_ != nullptr ? sizeof(Stream::Waiting) : 0; }

// What waits for its end takes no room from its pieces, or neither would ever leave: so twice the limit may be held.
bool Sender::fits_piece(std::size_t payload_bytes) const noexcept {
  return queue_.bytes() <= may_wait_before(frame_bytes(payload_bytes));
}

bool Sender::make_room(std::size_t frame_bytes) {
  const std::size_t may_wait = may_wait_before(frame_bytes);
  if (queue_.bytes() + waiting_bytes() <= may_wait) return true;
  const OverflowPolicy policy = settings_->limits.overflow;
  if (policy == OverflowPolicy::close) return false;
  if (policy == OverflowPolicy::drop_oldest && drop_oldest(may_wait)) return true;
  ++dropped_;  // the one that is being sent
  return false;
}

// What is in the queue came before what waits.
bool Sender::drop_oldest(std::size_t target_bytes) {
  const std::size_t kept = queue_.undroppable_bytes();
  if (kept > target_bytes) return false;
  const std::size_t waiting = waiting_bytes();
  const std::size_t for_queue = waiting < target_bytes ? std::max(target_bytes - waiting, kept) : kept;
  dropped_ += static_cast<std::uint32_t>(queue_.drop_oldest(for_queue).value_or(0));
  for (; queue_.bytes() + waiting_bytes() > target_bytes; ++dropped_) stream_->forget_first();
  return true;
}

bool Sender::has_room_for_control() const noexcept {
  const std::size_t limit = settings_->limits.outgoing_queue_bytes;
  return queue_.bytes() <= limit || queue_.bytes() - limit < control_slack_bytes;
}

// ── Whole messages ──────────────────────────────────────────────────────────────────────────────────────────────────

Sent Sender::message(MessageKind kind, Bytes payload, Compress compress) {
  // RFC 6455 5.6: text is UTF-8.
  if (kind == MessageKind::text && !text::is_utf8(payload)) return Sent::invalid;
  const std::size_t size = frame_bytes(payload.size()) + overhead_bytes();
  if (!make_room(size)) return Sent::over_limit;
  if (stream_ != nullptr) {
    stream_->payloads.append(payload);
    stream_->wait({.shared = {}, .bytes = payload.size(), .frame_bytes = size, .kind = kind, .compress = compress});
    return Sent::waiting;
  }
  put(kind, payload, compress);
  return Sent::accepted;
}

void Sender::put(MessageKind kind, Bytes payload, Compress compress) {
  if (compresses(payload.size(), compress)) {
    append_compressed(kind, payload);
  } else {
    append({.opcode = opcode_of(kind)}, payload, OutgoingQueue::Keep::droppable);
  }
}

Sent Sender::shared(const SharedMessage& message) {
  if (!message) return Sent::invalid;
  // RFC 6455 5.1: a client masks, each frame with its own key, so it cannot send the shared bytes.
  if (role_ == Role::client) return this->message(message.kind(), message.payload(), Compress::by_settings);
  const std::size_t size =
      (sends_compressed(message) ? message.compressed_frame() : message.frame()).size() + overhead_bytes();
  if (!make_room(size)) return Sent::over_limit;
  if (stream_ != nullptr) {
    stream_->wait({.shared = message, .bytes = 0, .frame_bytes = size, .kind = message.kind(), .compress = {}});
    return Sent::waiting;
  }
  put(message);
  return Sent::accepted;
}

// A client masks, a policy drops single messages, and nothing may stand between the fragments of a streamed one.
bool Sender::joined(const SharedMessage& messages) {
  const bool one_by_one =
      role_ == Role::client || stream_ != nullptr || settings_->limits.overflow == OverflowPolicy::drop_oldest;
  if (one_by_one || queue_.bytes() + messages.frame().size() > settings_->limits.outgoing_queue_bytes) return false;
  queue_.append(messages, false);
  return true;
}

void Sender::put(const SharedMessage& message) { queue_.append(message, sends_compressed(message)); }

bool Sender::sends_compressed(const SharedMessage& message) const noexcept {
  const bool suits = deflate_.has_value() && !takes_context_over() && deflate_->our_window_bits == 15;
  return suits && !message.compressed_frame().empty();
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
  if (!fits_piece(payload.size())) return Sent::over_limit;
  if (stream_ == nullptr) {
    // The size of the whole is not known: what is streamed counts as large.
    const bool compressed = deflate_.has_value() && compress != Compress::never;
    stream_ = std::make_unique<Stream>(kind, compressed, resources_->buffers);
  }
  stream_->utf8 = utf8;
  append_chunk(payload, last);
  if (last) end_stream();
  return Sent::accepted;
}

// What has waited was let in when it came.
void Sender::end_stream() {
  const std::unique_ptr<Stream> ended = std::move(stream_);
  for (; !ended->waiting.empty(); ended->forget_first()) {
    const Stream::Waiting& next = ended->waiting.front();
    if (next.shared) {
      put(next.shared);
    } else {
      put(next.kind, std::as_const(ended->payloads).readable().first(next.bytes), next.compress);
    }
  }
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

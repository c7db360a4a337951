// SPDX-License-Identifier: Apache-2.0
#include "ws/connection.h"

#include "base/finite.h"
#include "text/utf8.h"
#include "ws/assembler.h"
#include "ws/errors.h"
#include "ws/sender.h"
#include "ws/settings.h"

#include <array>
#include <cstring>
#include <string>
#include <utility>

namespace fairlead::ws {
namespace {

constexpr std::size_t max_reason_bytes = max_control_payload_bytes - sizeof(CloseCode);  // RFC 6455 5.5.1

std::optional<TimePoint> after(TimePoint from, std::chrono::milliseconds wait) {
  if (wait >= longest_wait) return std::nullopt;
  return from + wait;
}

InflateRules inflate_rules(const std::optional<DeflateAgreement>& deflate) {
  if (!deflate) return {};
  return {.negotiated = true,
          .context_takeover = deflate->their_context_takeover,
          .window_bits = deflate->their_window_bits};
}

struct CloseBody {
  CloseCode code = close_code::no_status;
  std::string_view reason;
};

// RFC 6455 5.5.1: an empty body, or a code of two bytes and a reason in UTF-8.
std::expected<CloseBody, Errc> parse_close(Bytes body) {
  if (body.empty()) return CloseBody();
  if (body.size() < sizeof(CloseCode)) return std::unexpected(Errc::close_frame_malformed);
  const auto code =
      static_cast<CloseCode>(std::to_integer<unsigned>(body[0]) << 8U | std::to_integer<unsigned>(body[1]));
  if (!may_be_sent(code)) return std::unexpected(Errc::close_code_invalid);
  const Bytes reason = body.subspan(sizeof(CloseCode));
  if (!text::is_utf8(reason)) return std::unexpected(Errc::close_reason_not_utf8);
  return CloseBody{code, as_text(reason)};
}

}  // namespace

// Facts; what follows from them is computed where it is asked for.
struct Connection::State {
  struct Reasons {
    std::string sent;
    std::string received;
  };

  State(Role role_of_ours, const Settings& lent, const Resources& resources, std::optional<DeflateAgreement> deflate,
        TimePoint now)
      : settings(&lent),
        in(role_of_ours, lent, resources, inflate_rules(deflate)),
        out(role_of_ours, lent, resources, deflate),
        last_received(now),
        role(role_of_ours) {}

  [[nodiscard]] std::optional<Event> read();
  [[nodiscard]] std::optional<Event> handle(const ControlFrame& frame);
  [[nodiscard]] Event handle_close(Bytes body);
  [[nodiscard]] Event fail_now(Errc code);
  void fail_later(Errc code, TimePoint now);
  void send_close(CloseCode code, std::string_view reason, TimePoint now);
  void send_idle_ping(TimePoint now);
  void give_up_closing(TimePoint now);
  [[nodiscard]] Sent settle(Sent sent, TimePoint now);
  void end_for(Errc why, TimePoint now);
  [[nodiscard]] bool may_send() const noexcept { return !close_sent && !failed && !over; }

  const Settings* settings;
  Assembler in;
  Sender out;
  TimePoint last_received;
  TimePoint give_up_at{};            // on an answer to our close frame, else to our idle ping, when one was sent
  std::unique_ptr<Reasons> reasons;  // when there are any
  CloseCode sent_code = close_code::abnormal;
  CloseCode received_code = close_code::abnormal;
  std::optional<Errc> unreported;  // a failure that next_event has not given yet
  Role role;
  bool idle_ping_sent = false;  // since something was received
  bool close_sent = false;
  bool close_received = false;
  bool peer_first = false;
  bool failed = false;
  bool stream_ended = false;  // receive_end
  bool over = false;          // nothing is received or sent any more
};

Connection::Connection(Role role, const Settings& settings, const Resources& resources,
                       std::optional<DeflateAgreement> deflate, TimePoint now)
    : state_(std::make_unique<State>(role, settings, resources, deflate, now)) {
  // An idle connection holds this and nothing else: a growth should be a decision.
  static_assert(sizeof(State) <= 312);
}

Connection::~Connection() = default;

// ── Bytes from below ────────────────────────────────────────────────────────────────────────────────────────────────

void Connection::receive(MutableBytes in, TimePoint now) {
  restart_idle_time(now);
  // RFC 6455 7.1.7, 1.4: after a failure or the peer's close frame nothing is processed.
  const bool reads = !state_->failed && !state_->close_received && !state_->over;
  if (reads) state_->in.receive(in);
}

std::optional<Event> Connection::next_event() {
  if (auto failure = take_failure()) {
    state_->in.stop();
    return FailedEvent{std::move(*failure)};
  }
  if (state_->failed || state_->close_received || state_->over) return std::nullopt;
  return state_->read();
}

std::optional<Error> Connection::take_failure() {
  if (!state_->unreported) return std::nullopt;
  const Errc code = *std::exchange(state_->unreported, std::nullopt);
  return Error{code, std::string(sentence_for(code))};
}

std::optional<Event> Connection::State::read() {
  auto incoming = in.next(last_received);
  if (!incoming) return fail_now(incoming.error());
  if (const auto* event = std::get_if<MessageEvent>(&*incoming)) {
    const MessageView& view = event->message;
    return std::optional<Event>(std::in_place, std::in_place_type<MessageEvent>,
                                MessageView{view.kind, view.payload, view.compressed});
  }
  if (auto* chunk = std::get_if<ChunkEvent>(&*incoming)) return *chunk;
  if (auto* frame = std::get_if<ControlFrame>(&*incoming)) return handle(*frame);
  if (stream_ended) return fail_now(Errc::unexpected_eof);
  return std::nullopt;
}

void Connection::retain() { state_->in.retain(); }

void Connection::receive_end(TimePoint now) {
  state_->last_received = now;
  state_->stream_ended = true;
}

std::optional<Event> Connection::State::handle(const ControlFrame& frame) {
  if (frame.opcode == Opcode::close) return handle_close(frame.payload);
  if (frame.opcode == Opcode::pong) return PongEvent{frame.payload};
  // RFC 6455 5.5.2: a ping is answered with its own payload. Not after our close frame: the peer discards what follows
  // it (1.4). And not when the peer takes nothing: pongs must not pile up.
  if (may_send() && out.has_room_for_control()) out.control(Opcode::pong, frame.payload);
  return PingEvent{frame.payload};
}

Event Connection::State::handle_close(Bytes body) {
  const auto close = parse_close(body);
  if (!close) return fail_now(close.error());
  close_received = true;
  peer_first = !close_sent;
  received_code = close->code;
  if (!close->reason.empty()) {
    if (reasons == nullptr) reasons = std::make_unique<Reasons>();
    reasons->received = close->reason;
  }
  // RFC 6455 5.5.1: answer with a close frame, typically with the code that was received.
  if (!close_sent) send_close(close->code, {}, last_received);
  in.stop();
  out.stop();
  return ClosedEvent();
}

// ── Failing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

// RFC 6455 7.1.7: fail the WebSocket connection.
Event Connection::State::fail_now(Errc code) {
  fail_later(code, last_received);
  unreported.reset();
  in.stop();
  return FailedEvent{{code, std::string(sentence_for(code))}};
}

// What was received stays where it is, since the caller may be holding views of it, until the failure is reported.
void Connection::State::fail_later(Errc code, TimePoint now) {
  failed = true;
  unreported = code;
  const bool can_say_so = code != Errc::unexpected_eof && code != Errc::close_timeout;
  if (!can_say_so) {
    out.queue().clear();
    over = true;
  } else if (!close_sent) {
    send_close(close_code_for(code), sentence_for(code), now);
  }
  out.stop();
}

void Connection::State::send_close(CloseCode code, std::string_view reason, TimePoint now) {
  std::array<std::byte, max_control_payload_bytes> body{};
  std::size_t size = 0;
  if (code != close_code::no_status) {
    body[0] = static_cast<std::byte>(code >> 8U);
    body[1] = static_cast<std::byte>(code & 0xFFU);
    if (!reason.empty()) std::memcpy(body.data() + sizeof(CloseCode), reason.data(), reason.size());
    size = sizeof(CloseCode) + reason.size();
  }
  out.control(Opcode::close, Bytes(body).first(size));
  close_sent = true;
  sent_code = code;
  give_up_at = after(now, settings->limits.close_time).value_or(TimePoint::max());
  if (reason.empty()) return;
  if (reasons == nullptr) reasons = std::make_unique<Reasons>();
  reasons->sent = reason;
}

// ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────────────

std::optional<TimePoint> Connection::deadline() const {
  if (finished()) return std::nullopt;
  if (state_->close_sent || state_->idle_ping_sent) {
    if (state_->give_up_at == TimePoint::max()) return std::nullopt;
    return state_->give_up_at;
  }
  const auto idle = state_->settings->limits.idle_time;
  if (idle <= std::chrono::milliseconds::zero()) return std::nullopt;
  return after(state_->last_received, quiet_before_ping(idle));
}

void Connection::on_deadline(TimePoint now) {
  const auto due = deadline();
  if (!due || now < *due) return;
  if (state_->close_sent) return state_->give_up_closing(now);
  if (state_->idle_ping_sent) return state_->fail_later(Errc::idle_timeout, now);
  state_->send_idle_ping(now);
}

void Connection::restart_idle_time(TimePoint now) {
  state_->last_received = now;
  state_->idle_ping_sent = false;
}

// The peer has the other half of the idle time to answer, counted from now: a loop that was late does not take it away.
void Connection::State::send_idle_ping(TimePoint now) {
  const auto idle = settings->limits.idle_time;
  idle_ping_sent = true;
  give_up_at = now + (idle - idle / 2);
  if (out.has_room_for_control()) out.control(Opcode::ping, {});
}

void Connection::State::give_up_closing(TimePoint now) {
  // RFC 6455 7.1.1: after a reasonable time either side may end the stream by itself.
  const bool unanswered = !close_received && !failed;
  if (unanswered) fail_later(Errc::close_timeout, now);
  out.queue().clear();
  over = true;
}

// ── Bytes for below ─────────────────────────────────────────────────────────────────────────────────────────────────

std::size_t Connection::output(std::span<Bytes> views) const { return state_->out.queue().output(views); }
void Connection::consume(std::size_t bytes) { state_->out.queue().consume(bytes); }
std::size_t Connection::output_bytes() const { return state_->out.queue().bytes(); }
std::size_t Connection::queued_bytes() const { return output_bytes() + state_->out.waiting_bytes(); }
std::size_t Connection::held_bytes() const {
  return queued_bytes() + state_->in.held_bytes() + state_->out.deflater_bytes();
}

std::uint32_t Connection::take_dropped() { return state_->out.take_dropped(); }
void Connection::stop_sending() { state_->out.stop(); }

void Connection::give_back() {
  state_->over = true;
  state_->in.stop();
  state_->out.stop();
  state_->out.queue().clear();
}

// ── What the application asks for ───────────────────────────────────────────────────────────────────────────────────

Sent Connection::send(MessageKind kind, Bytes payload, TimePoint now, Compress compress) {
  if (!state_->may_send()) return Sent::closed;
  return state_->settle(state_->out.message(kind, payload, compress), now);
}

Sent Connection::send(const SharedMessage& message, TimePoint now) {
  if (!state_->may_send()) return Sent::closed;
  return state_->settle(state_->out.shared(message), now);
}

bool Connection::send_joined(const SharedMessage& messages) {
  return state_->may_send() && state_->out.joined(messages);
}

void Connection::give_up(Errc why, TimePoint now) {
  if (state_->may_send()) state_->end_for(why, now);
}

Sent Connection::State::settle(Sent sent, TimePoint now) {
  if (sent == Sent::over_limit && settings->limits.overflow == OverflowPolicy::close)
    end_for(Errc::outgoing_queue_full, now);
  return sent;
}

// What has begun to leave is finished, then the close frame; the rest is dropped.
void Connection::State::end_for(Errc why, TimePoint now) {
  out.queue().keep_begun_frame();
  fail_later(why, now);
}

// No policy can drop a piece: the message would go on without it, and look whole.
Sent Connection::send_chunk(MessageKind kind, Bytes payload, bool last, TimePoint now, Compress compress) {
  if (!state_->may_send()) return Sent::closed;
  const Sent sent = state_->out.chunk(kind, payload, last, compress);
  if (sent == Sent::over_limit) state_->end_for(Errc::outgoing_queue_full, now);
  return sent;
}

Sent Connection::ping(Bytes payload, TimePoint /*now*/) {
  if (!state_->may_send()) return Sent::closed;
  if (payload.size() > max_control_payload_bytes) return Sent::invalid;
  if (!state_->out.has_room_for_control()) return Sent::over_limit;
  state_->out.control(Opcode::ping, payload);
  return Sent::accepted;
}

Result<void> check_close(CloseCode code, std::string_view reason) {
  const bool empty = code == close_code::no_status;
  if (!empty && !may_be_sent(code)) return fail(Errc::invalid_argument, "this close code may not be sent");
  if (empty && !reason.empty()) return fail(Errc::invalid_argument, "a close reason needs a code");
  if (reason.size() > max_reason_bytes) return fail(Errc::invalid_argument, "a close reason has at most 123 bytes");
  if (!text::is_utf8(as_bytes(reason))) return fail(Errc::invalid_argument, "a close reason must be UTF-8");
  return {};
}

Result<void> Connection::close(CloseCode code, std::string_view reason, TimePoint now) {
  if (auto checked = check_close(code, reason); !checked) return checked;
  if (!state_->may_send()) return {};
  state_->send_close(code, reason, now);
  state_->out.stop();
  return {};
}

// ── What is known ───────────────────────────────────────────────────────────────────────────────────────────────────

bool Connection::may_send() const { return state_->may_send(); }
bool Connection::close_received() const { return state_->close_received; }

bool Connection::over() const { return state_->over; }

bool Connection::finished() const {
  if (state_->over) return true;
  if (!state_->out.queue().empty()) return false;
  if (state_->failed) return true;
  // RFC 6455 7.1.1: the server closes the stream first; the client waits for that.
  return state_->close_received && (state_->role == Role::server || state_->stream_ended);
}

CloseInfo Connection::close_info() const {
  CloseInfo info{.code = state_->received_code,
                 .reason = {},
                 .sent_code = state_->sent_code,
                 .sent_reason = {},
                 .peer_first = state_->peer_first,
                 .clean = state_->close_sent && state_->close_received};
  if (state_->reasons != nullptr) {
    info.reason = state_->reasons->received;
    info.sent_reason = state_->reasons->sent;
  }
  return info;
}

}  // namespace fairlead::ws

// SPDX-License-Identifier: Apache-2.0
#include "transport/link.h"

#include "transport/loop_transports.h"
#include "transport/transports.h"

#include <array>
#include <utility>

namespace fairlead::server {
namespace {

// Frames that wait for a busy session: more than an SDK ever has in flight, and a bound on what one client holds.
constexpr std::size_t pending_frames = 64;
constexpr std::size_t pending_bytes_limit = std::size_t{256} * 1024;

constexpr char connect_command_id = 1;

// A bare ConnectRequest with the command around it that the codec reads.
std::string as_json_command(std::string_view request) {
  std::string command = R"({"id":1,"connect":)";
  const std::size_t begin = command.size();
  command.append(request.empty() ? "{}" : request);
  // A frame is split at line breaks; outside of strings they are only space, inside they are not allowed.
  for (std::size_t i = begin; i < command.size(); ++i) {
    if (command[i] == '\n' || command[i] == '\r') command[i] = ' ';
  }
  return command + "}";
}

void append_varint(std::string& out, std::size_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>((value & 0x7F) | 0x80));
  out.push_back(static_cast<char>(value));
}

std::string as_protobuf_command(std::string_view request) {
  // Command: id = 1 (varint), connect = 4 (length-delimited).
  std::string command{(1 << 3) | 0, connect_command_id, (4 << 3) | 2};
  append_varint(command, request.size());
  command.append(request);
  std::string frame;
  append_varint(frame, command.size());
  return frame + command;
}

}  // namespace

Link::Link(LoopTransports& loop, const Codec& codec, Envelope envelope, Framing framing)
    : loop_(loop), codec_(codec), envelope_(envelope), framing_(framing) {}

Link::~Link() {
  ended_ = true;  // what the session still says has nowhere to go
  leave();
}

void Link::open(Caller caller, Session::Options options) {
  emulated_ = options.emulated;
  session_ = loop_.host().open_session(*this, std::move(caller), std::move(options));
  if (session_ == nullptr) {
    ended_ = true;
    return close(disconnect_reason::shutdown);
  }
  settle();
}

// ── From the client ─────────────────────────────────────────────────────────────────────────────────────────────────

void Link::call(auto&& session_call) {
  ++calls_;
  session_call(*session_, loop_.host().now());
  --calls_;
}

void Link::receive(Bytes frame) {
  if (ended_ || session_ == nullptr) return;
  if (!pending_.empty() || session_->busy()) {
    keep(frame);
  } else {
    deliver(frame);
  }
  settle();
}

void Link::keep(Bytes frame) {
  if (pending_.size() >= pending_frames || pending_bytes_ + frame.size() > pending_bytes_limit) {
    return call([](Session& session, TimePoint now) { session.disconnect(disconnect_reason::too_many_requests, now); });
  }
  pending_bytes_ += frame.size();
  pending_.emplace_back(as_text(frame));
}

void Link::deliver(Bytes frame) {
  using Commands = std::expected<std::vector<Command>, DisconnectReason>;
  Commands commands = frame.empty() ? Commands(std::unexpect, disconnect_reason::bad_request) : codec_.decode(frame);
  call([&](Session& session, TimePoint now) {
    if (!commands) return session.disconnect(commands.error(), now);
    session.receive(std::move(*commands), now);
  });
}

void Link::receive_connect(std::string_view request) {
  if (std::exchange(connect_seen_, true) || ended_ || session_ == nullptr) return;
  const std::string frame =
      codec_.format() == WireFormat::json ? as_json_command(request) : as_protobuf_command(request);
  auto commands = codec_.decode(as_bytes(frame));
  const bool one_connect =
      commands && commands->size() == 1 && std::holds_alternative<ConnectRequest>(commands->front().body);
  call([&](Session& session, TimePoint now) {
    if (!one_connect) return session.disconnect(disconnect_reason::bad_request, now);
    session.receive(std::move(*commands), now);
  });
  settle();
}

void Link::drained() {
  if (ended_ || session_ == nullptr) return;
  const auto alive = shared_from_this();
  call([](Session& session, TimePoint now) { session.on_drained(now); });
  settle();
}

void Link::on_due(TimePoint now) {
  if (ended_ || session_ == nullptr) return;
  const auto alive = shared_from_this();
  const auto due = session_->deadline();
  if (due && *due <= now) call([&](Session& session, TimePoint) { session.on_deadline(now); });
  settle();
}

void Link::gone() {
  ended_ = true;
  // From inside of a call into the session: at the end of the turn.
  if (calls_ != 0) return want_turn_end();
  leave();
}

void Link::want_turn_end() {
  if (!std::exchange(turn_end_wanted_, true)) loop_.defer(*this);
}

void Link::on_turn_end() {
  turn_end_wanted_ = false;
  if (ended_) return leave();
  if (undelivered_ && session_ != nullptr) {
    const DisconnectReason reason = *std::exchange(undelivered_, std::nullopt);
    call([&](Session& session, TimePoint now) { session.disconnect(reason, now); });
  }
  settle();
}

// After every call into the session: what it said leaves, what waited for it goes on, its next deadline is noted.
void Link::settle() {
  if (session_ == nullptr) return;
  const auto alive = shared_from_this();
  while (!ended_ && !pending_.empty() && !session_->busy()) {
    const std::string frame = std::move(pending_.front());
    pending_.pop_front();
    pending_bytes_ -= frame.size();
    deliver(as_bytes(frame));
  }
  flush();
  if (ended_) return want_turn_end();
  hold_reading(session_->busy());
  register_secret();
  if (const auto deadline = session_->deadline()) loop_.watch(*this, *deadline);
}

void Link::register_secret() {
  if (!emulated_ || !secret_.empty() || session_->secret().empty()) return;
  secret_ = session_->secret();
  loop_.emulated().add(secret_, loop_.handle(), weak_from_this());
}

void Link::leave() {
  loop_.forget(*this);
  pending_.clear();
  pending_bytes_ = 0;
  if (!secret_.empty()) loop_.emulated().remove(std::exchange(secret_, {}));
  if (const auto session = std::exchange(session_, nullptr)) session->closed(loop_.host().now());
}

// ── From the session ────────────────────────────────────────────────────────────────────────────────────────────────

void Link::add(auto&& encode) {
  if (ended_) return;
  if (calls_ == 0 && batch_.empty()) want_turn_end();
  if (!batch_.empty()) batch_.append(framing_.between);
  batch_.append(framing_.before);
  encode(batch_);
  batch_.append(framing_.after);
}

void Link::reply(const Reply& reply) {
  if (envelope_ == Envelope::bare) return refuse(reply);
  add([&](std::string& out) { codec_.encode(reply, out); });
}

// A unidirectional client knows no replies: an error ends its connection, anything else is nothing to it.
void Link::refuse(const Reply& reply) {
  const auto* error = std::get_if<ClientError>(&reply.body);
  if (error == nullptr || ended_) return;
  const bool stale = error->code == client_error::token_expired.code || error->code == client_error::expired.code;
  const DisconnectReason& later = stale ? disconnect_reason::expired : disconnect_reason::server_error;
  undelivered_ =
      stale || error->temporary ? later : DisconnectReason{disconnect_reason::bad_request.code, error->message};
  want_turn_end();
}

void Link::push(const Push& push) {
  add([&](std::string& out) { codec_.encode(push, envelope_, out); });
}

void Link::ping() {
  add([&](std::string& out) { codec_.ping(out); });
}

void Link::publication(const Delivery& delivery, const WireForm& form) {
  if (ended_) return;
  flush();  // what was said before comes before
  const SharedMessage& frame = delivery.frame(form);
  sent(write_shared(frame), frame.payload().size());
}

// Where something stands around each message they cannot be joined.
void Link::publications(const DeliveryBatch& batch, const WireForm& form) {
  if (ended_) return;
  const bool bare = framing_.before.empty() && framing_.after.empty();
  if (!bare || !batch.frame(form)) return Outbox::publications(batch, form);
  flush();
  const SharedMessage& frame = batch.frame(form);
  sent(write_shared(frame), frame.payload().size());
}

void Link::session_changed() {
  if (!ended_) want_turn_end();
}

void Link::disconnect(const DisconnectReason& reason) {
  if (ended_) return;
  flush();
  ended_ = true;
  want_turn_end();  // which keeps us: `close` lets go of what may be the last reference
  close(reason);
}

void Link::flush() {
  if (batch_.empty()) return;
  // Taken out first: what the transport calls while it writes, drained() perhaps, must not find it. And an idle client
  // holds nothing.
  const std::string batch = std::exchange(batch_, {});
  sent(write(batch), batch.size());
}

void Link::sent(SendResult result, std::size_t bytes) {
  if (result == SendResult::over_limit) {
    refused_bytes_ += bytes;
    undelivered_ = disconnect_reason::slow;
  }
  if (result == SendResult::invalid) undelivered_ = disconnect_reason::server_error;
  if (undelivered_) want_turn_end();
}

void Link::close_with_push(const DisconnectReason& reason) {
  std::string message(framing_.before);
  codec_.encode(Push{.channel = {}, .id = 0, .body = reason}, envelope_, message);
  message.append(framing_.after);
  static_cast<void>(write(message));
}

}  // namespace fairlead::server

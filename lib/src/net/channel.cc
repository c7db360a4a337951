// SPDX-License-Identifier: Apache-2.0
#include "net/channel.h"

#include "net/thrown.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

namespace fairlead::net {
namespace {

// So much output of one turn is written before the turn ends: memory stays bounded while a handler sends and sends.
constexpr std::size_t flush_now_bytes = std::size_t{256} * 1024;
// Of a ping that is given none, and whose answer is timed.
constexpr std::size_t own_ping_bytes = 8;
// Pieces of output that are written together.
constexpr std::size_t gathered_pieces = 64;

ws::Connection::Compress as_ws(Compress compress) {
  switch (compress) {
    case Compress::never:
      return ws::Connection::Compress::never;
    case Compress::always:
      return ws::Connection::Compress::always;
    case Compress::by_size:
      break;
  }
  return ws::Connection::Compress::by_settings;
}

}  // namespace

std::unique_ptr<const Opened::Named> Opened::named(std::string subprotocol, std::string_view extensions) {
  if (subprotocol.empty() && extensions.empty()) return nullptr;
  return std::make_unique<const Named>(std::move(subprotocol), std::string(extensions));
}

std::shared_ptr<Channel> Channel::create(LoopContext& context, std::unique_ptr<Stream> stream,
                                         std::shared_ptr<const ChannelSettings> settings, Opened opened) {
  auto channel = std::make_shared<Channel>(context, std::move(stream), std::move(settings), std::move(opened));
  context.channels.emplace(channel.get(), channel);
  channel->registered_ = true;
  channel->name_ = context.mailbox->slots.open(*channel, channel->settings_->ws.limits.outgoing_queue_bytes);
  context.counters.websockets.add();
  return channel;
}

Channel::Channel(LoopContext& context, std::unique_ptr<Stream> stream, std::shared_ptr<const ChannelSettings> settings,
                 Opened opened)
    : context_(context),
      settings_(std::move(settings)),
      stream_(std::move(stream)),
      ws_(settings_->role, settings_->ws, context.resources, opened.deflate, io::Loop::now()),
      opened_(std::move(opened)) {
  stream_->set_user(this);
}

Channel::~Channel() = default;

void Channel::open(MutableBytes leftover) {
  const auto alive = shared_from_this();
  log_opened();
  if (settings_->handler_style) {
    facade_ = Connection(alive);
    call_handler(settings_->handlers.open, facade_);
  }
  if (!leftover.empty()) on_data(leftover);
  flush();
  read_on();  // or notes what has to happen first
}

// ── From below ──────────────────────────────────────────────────────────────────────────────────────────────────────

void Channel::on_data(MutableBytes data) {
  const auto alive = shared_from_this();
  if (settings_->log_connections && !closed_) context_.logged[this].bytes_in += data.size();
  ws_.receive(data, io::Loop::now());
  pump();
  ws_.retain();
}

void Channel::on_read_turn_end() { flush(); }

void Channel::on_room() {
  const auto alive = shared_from_this();
  if (stream_ended_ && stream_->broken()) return pump();
  flush();
}

// What was received before still counts: a coroutine that is busy gets it when it asks, and a close frame behind it
// says how the connection ended. But who sends in vain is told so at once, whatever it holds back.
void Channel::on_stream_end(const Error* error) {
  const auto alive = shared_from_this();
  if (error != nullptr && !ws_.finished() && error_ == nullptr) error_ = std::make_unique<Error>(*error);
  ws_.receive_end(io::Loop::now());
  stream_ended_ = true;
  slowed_ = false;  // whoever ended the stream need not be slowed down
  pump();
}

void Channel::on_stream_gone() { unregister(); }

// The caller holds on to this channel.
void Channel::pump() {
  if (std::exchange(pumping_, true)) return;
  bool all_read = closed_;
  while (!all_read && may_deliver()) {
    auto event = ws_.next_event();
    all_read = !event || !dispatch(*event) || closed_;
  }
  pumping_ = false;
  if (all_read && stream_ended_) return end_behind_stream();
  if (may_deliver() || stream_->shutting_down()) return;
  starved_ = context_.short_of_memory;
  stream_->pause();
}

// Whoever is short of memory answers nothing more until some has been given back.
bool Channel::may_deliver() const noexcept {
  if (context_.short_of_memory) return false;
  return ((!inbox_full() || unheard()) && !slowed_ && !held_) || sends_in_vain();
}

bool Channel::sends_in_vain() const noexcept { return stream_->broken() || stream_->sealed_off(); }

bool Channel::unheard() const noexcept {
  if (forsaken_) return true;
  const bool only_the_end_is_awaited = waiters_ != nullptr && !waiters_->for_close.empty() && !waiters_->receiver;
  return only_the_end_is_awaited && !ws_.may_send();
}

bool Channel::dispatch(ws::Event& event) {
  if (const auto* failed = std::get_if<ws::FailedEvent>(&event)) {
    on_failed(failed->error);
    return false;
  }
  if (std::holds_alternative<ws::ClosedEvent>(event)) {
    want_flush();
    return false;
  }
  if (held_) return true;  // `sends_in_vain`: only the end is told
  if (const auto* message = std::get_if<ws::MessageEvent>(&event)) {
    on_message(message->message);
  } else if (const auto* chunk = std::get_if<ws::ChunkEvent>(&event)) {
    on_chunk(*chunk);
  } else if (const auto* pong = std::get_if<ws::PongEvent>(&event)) {
    on_pong(pong->payload);
  }
  return true;
}

void Channel::on_message(const MessageView& message) {
  context_.counters.messages_in.add();
  if (settings_->handler_style) {
    return call_handler(settings_->handlers.message, facade_,
                        MessageView{message.kind, message.payload, message.compressed});
  }
  arrived({message.kind, std::string(as_text(message.payload)), message.compressed, true, true});
}

void Channel::on_chunk(const ws::ChunkEvent& chunk) {
  if (chunk.last) context_.counters.messages_in.add();
  if (settings_->handler_style) {
    return call_handler(settings_->handlers.chunk, facade_,
                        ChunkView{chunk.kind, chunk.payload, chunk.first, chunk.last});
  }
  arrived({chunk.kind, std::string(as_text(chunk.payload)), false, chunk.first, chunk.last});
}

void Channel::on_pong(Bytes payload) {
  const bool timed = timed_ping_ != nullptr && timed_ping_->payload == as_text(payload);
  if (timed) {
    const auto answered = std::exchange(timed_ping_, nullptr);
    round_trip_time_ = io::Loop::now() - answered->sent;
    if (answered->payload_is_ours) payload = {};
  } else if (timed_ping_ != nullptr) {
    // RFC 6455 5.5.3: nobody has to answer a ping behind which another one has come. So this may be all that comes; or
    // it answers nothing, which is allowed, too, and says nothing of the time.
    timed_ping_->passed_over = true;
  }
  if (settings_->handler_style) call_handler(settings_->handlers.pong, facade_, payload);
}

void Channel::on_failed(const Error& error) {
  if (error_ == nullptr) error_ = std::make_unique<Error>(error);
  context_.counters.failed(error_->code);
  log_failure(LogLevel::info, "failed", *error_);
  note_dropped();
  want_flush();
}

// It may stand behind messages that nobody takes, and is told all the same.
void Channel::tell_failure() {
  if (const auto failure = ws_.take_failure()) on_failed(*failure);
}

// An exception of the application must not end the loop: it ends this connection (1011).
void Channel::call_handler(auto&& handler, auto&&... arguments) {
  if (!handler) return;
  try {
    handler(arguments...);
  } catch (...) {
    fail(thrown_by("a handler"));
  }
}

void Channel::tell_closed() {
  if (std::exchange(closed_, true)) return;
  const auto alive = shared_from_this();
  context_.loop.cancel_timer(*this);
  context_.mailbox->slots.close(name_);
  context_.counters.websockets.subtract();
  tell_failure();
  leave_groups();
  ws_.stop_sending();
  note_dropped();
  if (ws_.queued_bytes() + stream_->undelivered_bytes() != 0) undelivered_ = true;
  const CloseInfo info = close_info();
  log_ended(info);
  if (info.clean) context_.counters.closed_clean.add();
  if (settings_->handler_style) call_handler(settings_->handlers.close, facade_, info);
  resume_all();
}

// ── Sending ─────────────────────────────────────────────────────────────────────────────────────────────────────────

SendResult Channel::send(MessageKind kind, Bytes payload, Compress compress) {
  catch_up_with_groups();
  if (closed_ || sends_in_vain()) return SendResult::closed;
  const bool had_room = stream_->has_room();
  return outcome(ws_.send(kind, payload, context_.loop.turn_time(), as_ws(compress)), had_room, payload.size());
}

SendResult Channel::send(const SharedMessage& message) {
  catch_up_with_groups();
  return send_in_order(message);
}

SendResult Channel::send_in_order(const SharedMessage& message) {
  if (closed_ || sends_in_vain()) return SendResult::closed;
  const bool had_room = stream_->has_room();
  return outcome(ws_.send(message, context_.loop.turn_time()), had_room, message.payload().size());
}

bool Channel::send_joined(const SharedMessage& messages, std::size_t count) {
  if (closed_ || sends_in_vain() || settings_->record_per_message) return false;
  const bool had_room = stream_->has_room();
  if (!ws_.send_joined(messages)) return false;
  context_.counters.messages_out.add(count);
  static_cast<void>(taken(had_room));
  return true;
}

SendResult Channel::send_chunk(MessageKind kind, Bytes piece, bool last, Compress compress) {
  catch_up_with_groups();
  if (closed_ || sends_in_vain()) return SendResult::closed;
  const bool had_room = stream_->has_room();
  return outcome(ws_.send_chunk(kind, piece, last, context_.loop.turn_time(), as_ws(compress)), had_room, piece.size());
}

SendResult Channel::ping(Bytes payload) {
  if (closed_ || sends_in_vain()) return SendResult::closed;
  const bool had_room = stream_->has_room();
  const TimePoint now = io::Loop::now();
  if (timed_ping_ != nullptr && !timed_ping_->passed_over) return outcome(ws_.ping(payload, now), had_room, 0);
  // Only who has seen a ping knows its payload.
  std::array<std::byte, own_ping_bytes> ours{};
  if (payload.empty()) context_.entropy.fill(ours);
  const Bytes sent = payload.empty() ? Bytes(ours) : payload;
  const ws::Sent became = ws_.ping(sent, now);
  if (became == ws::Sent::accepted)
    timed_ping_ = std::make_unique<TimedPing>(TimedPing{now, std::string(as_text(sent)), payload.empty()});
  return outcome(became, had_room, 0);
}

std::vector<Membership>& Channel::memberships() {
  if (memberships_ == nullptr) memberships_ = std::make_unique<std::vector<Membership>>();
  return *memberships_;
}

void Channel::catch_up_with_groups() {
  if (memberships_ == nullptr) return;
  for (std::size_t i = 0; i < memberships_->size(); ++i) {
    const Membership one = (*memberships_)[i];
    one.part->catch_up(one.place);
  }
}

void Channel::leave_groups() {
  while (memberships_ != nullptr && !memberships_->empty()) memberships_->back().part->remove(*this);
  memberships_.reset();
}

SendResult Channel::outcome(ws::Sent sent, bool had_room, std::size_t payload_bytes) {
  note_dropped();
  switch (sent) {
    case ws::Sent::accepted:
      break;
    case ws::Sent::waiting:  // for the streamed message that is open
      context_.counters.messages_out.add();
      context_.publish_memory();
      slow_down_if_above_half();
      return SendResult::queued;
    case ws::Sent::over_limit:
      if (!ws_.may_send()) {  // the policy has closed it: that is told, and nothing of what it slowed down for is left
        slowed_ = false;
        read_on_later();
      }
      want_flush();
      return SendResult::over_limit;
    case ws::Sent::closed:
      return SendResult::closed;
    case ws::Sent::invalid:
      return SendResult::invalid;
  }
  if (payload_bytes != 0) context_.counters.messages_out.add();
  return taken(had_room);
}

// What follows once the state machine has it.
SendResult Channel::taken(bool had_room) {
  if (!had_room) context_.publish_memory();  // a handler that sends and sends must not run past the budget unseen
  if (!output_below_half()) was_above_half_ = true;
  slow_down_if_above_half();
  // What follows from having written waits for the end of the turn: `drain` is not called from inside a `send`.
  if (settings_->record_per_message || (had_room && ws_.output_bytes() >= flush_now_bytes)) write_output();
  // Who has read of it in `queued_bytes` may wait for `drain`.
  if (output_bytes() + stream_->gathered_bytes() > half_limit()) was_above_half_ = true;
  want_flush();
  return had_room && stream_->has_room() ? SendResult::sent : SendResult::queued;
}

// Whoever takes no answers is asked nothing more, so that a peer that sends faster than it reads is slowed down instead
// of closed. Only the server does so: if both ends did, both could wait for each other.
void Channel::slow_down_if_above_half() {
  const bool slows = settings_->handler_style && settings_->role == ws::Role::server && !stream_ended_;
  if (slows && !answers_below_half()) slowed_ = true;
}

// Inside a read turn the stream asks for our output anyway, at its end.
void Channel::want_flush() { context_.loop.defer(*this); }

void Channel::on_turn_end() {
  if (!std::exchange(released_, false)) return flush();
  const auto alive = shared_from_this();
  read_on();
  flush();
}

void Channel::hold() { held_ = true; }

// What is here already is delivered at the end of the turn: the caller stands in the middle of its own work.
void Channel::release() {
  if (std::exchange(held_, false) && !closed_) read_on_later();
}

void Channel::read_on_later() {
  released_ = true;
  want_flush();
}

void Channel::read_on() {
  const auto alive = shared_from_this();
  pump();
  if (!may_deliver()) return;
  if (stream_->paused()) ws_.restart_idle_time(io::Loop::now());
  stream_->resume();
}

void Channel::memory_is_back() {
  if (std::exchange(starved_, false)) read_on_later();
}

void Channel::flush() {
  const auto alive = shared_from_this();
  if (!released_) take_back();  // this is what was to be done at the end of the turn
  write_output();
  after_output();
}

void Channel::write_output() {
  while (stream_->has_room() && !stream_->sealed_off()) {
    std::array<Bytes, gathered_pieces> pieces;
    const std::size_t count = ws_.output(pieces);
    if (count == 0) break;
    const std::size_t written = stream_->write(std::span(pieces).first(count));
    if (settings_->log_connections && !closed_) context_.logged[this].bytes_out += written;
    ws_.consume(written);
  }
}

void Channel::after_output() {
  context_.publish_memory();
  tell_room();
  end_stream_if_finished();
  if (!stream_->shutting_down()) rearm();
}

std::size_t Channel::queued_bytes() const noexcept {
  if (stream_ == nullptr) return ws_.queued_bytes();
  return waiting_bytes() + stream_->gathered_bytes();
}

// Without what leaves at the end of the turn, if the socket takes it: else `on_stalled` tells.
std::size_t Channel::waiting_bytes() const noexcept { return ws_.queued_bytes() + stream_->unsent_bytes(); }

std::size_t Channel::half_limit() const noexcept { return settings_->ws.limits.outgoing_queue_bytes / 2; }
// Without what waits for a streamed message to end, too: room for its pieces does not depend on that.
std::size_t Channel::output_bytes() const noexcept { return ws_.output_bytes() + stream_->unsent_bytes(); }
bool Channel::output_below_half() const noexcept { return output_bytes() <= half_limit(); }

// Where messages are received in pieces, those that are sent in pieces may be made of them: to stop reading for what
// waits behind one would keep it from ever ending.
bool Channel::answers_below_half() const noexcept {
  if (settings_->ws.delivery == ws::Delivery::chunks) return output_below_half();
  return waiting_bytes() <= half_limit();
}

// Whoever closes has as much room as it will ever get.
bool Channel::has_room(RoomFor what) const noexcept {
  if (closed_ || !ws_.may_send()) return true;
  return what == RoomFor::piece ? output_below_half() : waiting_bytes() <= half_limit();
}

void Channel::tell_room() {
  if (slowed_ && answers_below_half()) {
    slowed_ = false;
    read_on();
  }
  resume_those_with_room();
  if (!was_above_half_ || !output_below_half()) return;
  const bool tells = settings_->handler_style && settings_->handlers.drain && !closed_;
  if (tells && stream_->gathered_bytes() != 0) stream_->flush();  // room is what has left, not what may leave
  if (!output_below_half()) return;
  was_above_half_ = false;
  if (tells) call_handler(settings_->handlers.drain, facade_);
}

void Channel::on_stalled() {
  if (!output_below_half()) was_above_half_ = true;
  rearm();
}

ConnectionHandle Channel::handle() {
  ConnectionHandle handle;
  if (stream_ != nullptr) {
    handle.mailbox_ = context_.mailbox;
  } else if (afterwards_ != nullptr) {
    handle.mailbox_ = afterwards_->mailbox;
  }
  handle.slot_ = name_.slot;
  handle.generation_ = name_.generation;
  return handle;
}

void Channel::visit(const std::function<void(Connection&)>& visitor) {
  Connection borrowed(shared_from_this(), Connection::Borrowed{});
  call_handler(visitor, borrowed);
}

std::string_view Channel::subprotocol() const noexcept {
  return opened_.agreed != nullptr ? std::string_view(opened_.agreed->subprotocol) : std::string_view();
}

std::string_view Channel::extensions() const noexcept {
  return opened_.agreed != nullptr ? std::string_view(opened_.agreed->extensions) : std::string_view();
}

TlsInfo Channel::tls_info() const {
  if (stream_ != nullptr) return stream_->tls_info();
  return afterwards_ != nullptr ? afterwards_->tls : TlsInfo();
}

}  // namespace fairlead::net

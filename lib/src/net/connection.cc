// SPDX-License-Identifier: Apache-2.0
// The bodies of the public Connection and its handle: thin, over net::Channel.
#include <fairlead/connection.h>

#include "base/finite.h"
#include "net/channel.h"
#include "net/waiting.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

namespace fairlead {

// ── Sending ─────────────────────────────────────────────────────────────────────────────────────────────────────────

namespace {

net::Channel::RoomFor room_for(bool piece) noexcept {
  return piece ? net::Channel::RoomFor::piece : net::Channel::RoomFor::message;
}

}  // namespace

bool Sending::await_ready() const noexcept {
  return result_ != SendResult::queued || channel_->has_room(room_for(piece_));
}
void Sending::await_suspend(std::coroutine_handle<> waiting) { channel_->wait_for_room(waiting, room_for(piece_)); }
SendResult Sending::await_resume() const noexcept { return result_; }

Sending Connection::send(std::string_view text, Compress compress) {
  if (channel_ == nullptr) return {nullptr, SendResult::closed};
  return {channel_.get(), channel_->send(MessageKind::text, as_bytes(text), compress)};
}
Sending Connection::send(Bytes binary, Compress compress) {
  if (channel_ == nullptr) return {nullptr, SendResult::closed};
  return {channel_.get(), channel_->send(MessageKind::binary, binary, compress)};
}
Sending Connection::send(const Message& message, Compress compress) { return send(message.view(), compress); }
Sending Connection::send(MessageView message, Compress compress) {
  if (channel_ == nullptr) return {nullptr, SendResult::closed};
  return {channel_.get(), channel_->send(message.kind, message.payload, compress)};
}
Sending Connection::send(const SharedMessage& message) {
  if (channel_ == nullptr) return {nullptr, SendResult::closed};
  return {channel_.get(), channel_->send(message)};
}
Sending Connection::send_chunk(MessageKind kind, Bytes piece, bool last, Compress compress) {
  if (channel_ == nullptr) return {nullptr, SendResult::closed};
  return {channel_.get(), channel_->send_chunk(kind, piece, last, compress), true};
}
SendResult Connection::ping(Bytes payload) {
  return channel_ != nullptr ? channel_->ping(payload) : SendResult::closed;
}

// ── Receiving ───────────────────────────────────────────────────────────────────────────────────────────────────────

namespace net {

bool ReceiveWait::await_ready() { return channel_ == nullptr || channel_->ready_to_receive(); }
void ReceiveWait::await_suspend(std::coroutine_handle<> waiting) { channel_->wait_to_receive(waiting); }
Result<Message> ReceiveWait::await_resume() {
  if (channel_ == nullptr) return fail(Errc::closed);
  auto received = channel_->take();
  if (!received) return std::unexpected(std::move(received.error()));
  return Message{received->kind, std::move(received->payload), received->compressed};
}

namespace {

// A receive that has a deadline or can be called off.
class TimedReceive final : private io::Timer {
 public:
  TimedReceive(Channel& channel, const CallOptions& options) : channel_(channel), options_(options) {}

  [[nodiscard]] bool await_ready() const { return channel_.ready_to_receive(); }
  void await_suspend(std::coroutine_handle<> waiting) {
    channel_.wait_to_receive(waiting);
    if (options_.timeout) channel_.context().loop.set_timer(*this, io::Loop::now() + finite(*options_.timeout));
    stop_.emplace(channel_.context().mailbox, options_.stop, [this] { channel_.interrupt_receive(Errc::cancelled); });
  }
  void await_resume() {
    stop_.reset();
    channel_.context().loop.cancel_timer(*this);
  }

 private:
  void on_timer(TimePoint) override { channel_.interrupt_receive(Errc::timed_out); }

  Channel& channel_;
  const CallOptions& options_;
  std::optional<StopWatch> stop_;
};

Task<Result<Channel::Received>> receive_timed(std::shared_ptr<Channel> channel, CallOptions options) {
  if (channel == nullptr) co_return fail(Errc::closed);
  if (options.stop.stop_requested()) co_return fail(Errc::cancelled);
  if (channel->closed()) co_return channel->take();  // its loop may have gone
  TimedReceive wait(*channel, options);
  co_await wait;
  co_return channel->take();
}

// A wait for room or for the end, which may have a deadline or be called off; may be awaited again.
class LimitedWait final : private io::Timer {
 public:
  // Without a room it waits for the end.
  LimitedWait(Channel& channel, std::optional<Channel::RoomFor> room, const CallOptions& options)
      : channel_(channel), room_(room) {
    if (options.timeout) limit_ = io::Loop::now() + finite(*options.timeout);
    stop_.emplace(channel.context().mailbox, options.stop, [this] { give_up(Errc::cancelled); });
  }
  LimitedWait(const LimitedWait&) = delete;
  LimitedWait& operator=(const LimitedWait&) = delete;
  ~LimitedWait() override {
    if (waiting_) channel_.forget_wait(waiting_);
  }

  [[nodiscard]] bool await_ready() const noexcept { return room_ ? channel_.has_room(*room_) : channel_.closed(); }
  void await_suspend(std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    if (limit_ && !armed()) channel_.context().loop.set_timer(*this, *limit_);
    room_ ? channel_.wait_for_room(waiting, *room_) : channel_.wait_until_closed(waiting);
  }
  // Why it was given up, if it was.
  std::optional<Errc> await_resume() noexcept {
    waiting_ = {};
    return given_up_;
  }

 private:
  void on_timer(TimePoint) override { give_up(Errc::timed_out); }
  void give_up(Errc why) {
    if (!waiting_ || !channel_.forget_wait(waiting_)) return;
    given_up_ = why;
    std::exchange(waiting_, {}).resume();
  }

  Channel& channel_;
  std::optional<Channel::RoomFor> room_;
  std::optional<TimePoint> limit_;
  std::optional<StopWatch> stop_;
  std::optional<Errc> given_up_;
  std::coroutine_handle<> waiting_;
};

Task<Result<SendResult>> send_when_room(std::shared_ptr<Channel> channel, Channel::RoomFor room, CallOptions options,
                                        std::function<SendResult(Channel&)> take) {
  if (channel == nullptr) co_return SendResult::closed;
  if (options.stop.stop_requested()) co_return fail(Errc::cancelled);
  if (channel->closed()) co_return SendResult::closed;
  LimitedWait wait(*channel, room, options);
  while (!wait.await_ready()) {
    const std::optional<Errc> given_up = co_await wait;
    if (given_up) co_return fail(*given_up);
  }
  co_return take(*channel);
}

Task<Result<CloseInfo>> wait_for_end(std::shared_ptr<Channel> channel, CallOptions options) {
  if (channel == nullptr) co_return CloseInfo{};
  if (channel->closed()) co_return channel->close_info();
  if (options.stop.stop_requested()) co_return fail(Errc::cancelled);
  LimitedWait wait(*channel, std::nullopt, options);
  const std::optional<Errc> given_up = co_await wait;
  if (given_up) co_return fail(*given_up);
  co_return channel->close_info();
}

}  // namespace
}  // namespace net

Task<Result<SendResult>> Connection::send(std::string_view text, CallOptions options, Compress compress) {
  return send(MessageView{MessageKind::text, as_bytes(text)}, std::move(options), compress);
}
Task<Result<SendResult>> Connection::send(Bytes binary, CallOptions options, Compress compress) {
  return send(MessageView{MessageKind::binary, binary}, std::move(options), compress);
}
Task<Result<SendResult>> Connection::send(MessageView message, CallOptions options, Compress compress) {
  return net::send_when_room(channel_, net::Channel::RoomFor::message, std::move(options),
                             [kind = message.kind, payload = message.payload, compress](net::Channel& channel) {
                               return channel.send(kind, payload, compress);
                             });
}
Task<Result<SendResult>> Connection::send(SharedMessage message, CallOptions options) {
  return net::send_when_room(channel_, net::Channel::RoomFor::message, std::move(options),
                             [message = std::move(message)](net::Channel& channel) { return channel.send(message); });
}
Task<Result<SendResult>> Connection::send_chunk(MessageKind kind, Bytes piece, bool last, CallOptions options,
                                                Compress compress) {
  return net::send_when_room(
      channel_, net::Channel::RoomFor::piece, std::move(options),
      [kind, piece, last, compress](net::Channel& channel) { return channel.send_chunk(kind, piece, last, compress); });
}

net::ReceiveWait Connection::receive() { return net::ReceiveWait(channel_.get()); }

Task<Result<Message>> Connection::receive(CallOptions options) {
  auto received = co_await net::receive_timed(channel_, std::move(options));
  if (!received) co_return std::unexpected(std::move(received.error()));
  co_return Message{received->kind, std::move(received->payload), received->compressed};
}

Task<Result<Chunk>> Connection::receive_chunk(CallOptions options) {
  auto received = co_await net::receive_timed(channel_, std::move(options));
  if (!received) co_return std::unexpected(std::move(received.error()));
  co_return Chunk{received->kind, std::move(received->payload), received->first, received->last};
}

void Connection::pause_receiving() {
  if (channel_ != nullptr) channel_->hold();
}
void Connection::resume_receiving() {
  if (channel_ != nullptr) channel_->release();
}

// ── Ending and knowing ──────────────────────────────────────────────────────────────────────────────────────────────

Connection::Connection(std::shared_ptr<net::Channel> channel) noexcept : channel_(std::move(channel)), owner_(true) {}
Connection::Connection(std::shared_ptr<net::Channel> channel, Borrowed /*tag*/) noexcept
    : channel_(std::move(channel)) {}
Connection::Connection(Connection&& other) noexcept
    : channel_(std::move(other.channel_)), owner_(std::exchange(other.owner_, false)) {}

Connection& Connection::operator=(Connection&& other) noexcept {
  if (this == &other) return *this;
  const auto before = std::exchange(channel_, std::move(other.channel_));
  const bool owned = std::exchange(owner_, std::exchange(other.owner_, false));
  if (owned && before != nullptr) before->forsaken();
  return *this;
}

Connection::~Connection() {
  if (owner_ && channel_ != nullptr) channel_->forsaken();
}

Result<void> Connection::close(CloseCode code, std::string_view reason) {
  if (channel_ == nullptr) return {};
  return channel_->close(code, reason);
}

Task<CloseInfo> Connection::closed() {
  auto ended = co_await net::wait_for_end(channel_, CallOptions());
  co_return std::move(*ended);
}
Task<Result<CloseInfo>> Connection::closed(CallOptions options) {
  return net::wait_for_end(channel_, std::move(options));
}

bool Connection::open() const noexcept { return channel_ != nullptr && !channel_->closed() && channel_->may_send(); }
CloseInfo Connection::close_info() const { return channel_ != nullptr ? channel_->close_info() : CloseInfo{}; }
const Error* Connection::error() const noexcept { return channel_ != nullptr ? channel_->error() : nullptr; }

const Request& Connection::request() const noexcept {
  static const Request none;
  return channel_ != nullptr ? channel_->request() : none;
}

std::string_view Connection::subprotocol() const noexcept {
  return channel_ != nullptr ? channel_->subprotocol() : std::string_view();
}
std::string_view Connection::extensions() const noexcept {
  return channel_ != nullptr ? channel_->extensions() : std::string_view();
}
TlsInfo Connection::tls() const { return channel_ != nullptr ? channel_->tls_info() : TlsInfo{}; }
std::size_t Connection::queued_bytes() const noexcept { return channel_ != nullptr ? channel_->queued_bytes() : 0; }
Duration Connection::round_trip_time() const noexcept {
  return channel_ != nullptr ? channel_->round_trip_time() : Duration{};
}
ConnectionHandle Connection::handle() const { return channel_ != nullptr ? channel_->handle() : ConnectionHandle(); }
std::any& Connection::data() noexcept { return channel_->data(); }

// ── The handle ──────────────────────────────────────────────────────────────────────────────────────────────────────

bool ConnectionHandle::open() const noexcept {
  return mailbox_ != nullptr && mailbox_->loop.load() != nullptr && mailbox_->slots.is_open({slot_, generation_});
}

// What a message on its way to its loop takes besides its payload, roughly: small ones are bounded, too.
constexpr std::size_t posted_overhead_bytes = 128;
// The same of work, with a guess at what it holds.
constexpr std::size_t posted_work_bytes = posted_overhead_bytes + 256;

SendResult ConnectionHandle::post(std::function<void(Connection&)> work) const {
  if (!open()) return SendResult::closed;
  const net::SlotTable::Name name{slot_, generation_};
  if (!mailbox_->slots.reserve(name, posted_work_bytes)) return SendResult::over_limit;
  const bool posted = mailbox_->post([mailbox = mailbox_, name, work = std::move(work)] {
    mailbox->slots.release(name, posted_work_bytes);
    if (net::Channel* channel = mailbox->slots.find(name)) channel->visit(work);
  });
  return posted ? SendResult::queued : SendResult::closed;
}

SendResult ConnectionHandle::send(SharedMessage message) const {
  if (!open()) return SendResult::closed;
  if (mailbox_->on_loop()) return mailbox_->slots.find({slot_, generation_})->send(message);
  const net::SlotTable::Name name{slot_, generation_};
  const std::size_t bytes = message.payload().size() + posted_overhead_bytes;
  if (!mailbox_->slots.reserve(name, bytes)) return SendResult::over_limit;
  const bool posted = mailbox_->post([mailbox = mailbox_, name, bytes, message = std::move(message)] {
    mailbox->slots.release(name, bytes);
    if (net::Channel* channel = mailbox->slots.find(name)) static_cast<void>(channel->send(message));
  });
  return posted ? SendResult::queued : SendResult::closed;
}

SendResult ConnectionHandle::close(CloseCode code, std::string_view reason) const {
  if (!open()) return SendResult::closed;
  if (!ws::check_close(code, reason)) return SendResult::invalid;
  const net::SlotTable::Name name{slot_, generation_};
  if (!mailbox_->slots.set_out_to_close(name)) return SendResult::queued;
  const bool posted = mailbox_->post([mailbox = mailbox_, name, code, text = std::string(reason)] {
    mailbox->slots.closing_arrived(name);
    if (net::Channel* channel = mailbox->slots.find(name)) static_cast<void>(channel->close(code, text));
  });
  return posted ? SendResult::queued : SendResult::closed;
}

}  // namespace fairlead

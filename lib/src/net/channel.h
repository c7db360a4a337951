// SPDX-License-Identifier: Apache-2.0
// An open WebSocket on a loop: drives the state machine over a stream and gives its events to the application, as
// handler calls or to the coroutine that waits. The body of the public Connection.
#pragma once

#include "base/prefetch.h"
#include "io/loop.h"
#include "io/timers.h"
#include "net/group_part.h"
#include "net/kept_request.h"
#include "net/loop_context.h"
#include "net/mailbox.h"
#include "net/stream.h"
#include "ws/connection.h"
#include "ws/settings.h"

#include <fairlead/connection.h>

#include <any>
#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fairlead::net {

struct Thrown;

// What all channels of a route, or all of a client's options, have in common. Shared, immutable once in use.
struct ChannelSettings {
  ws::Role role = ws::Role::server;
  ws::Settings ws;
  Handlers handlers;  // used when `handler_style`
  bool handler_style = false;
  bool record_per_message = false;  // see ClientOptions
  LogSink log;
  LogLevel log_from = LogLevel::info;
  bool log_exceptions = false;   // with what they say
  bool log_connections = false;  // `log` is there and wants `debug`: a line when each opens and when it ends
  std::string path;              // the route's, for `for_each`
};

// What the opening handshake left behind.
struct Opened {
  // What both ends named; most connections agree on nothing.
  struct Named {
    std::string subprotocol;
    std::string extensions;
  };
  static std::unique_ptr<const Named> named(std::string subprotocol, std::string_view extensions);

  KeptRequest request;
  std::unique_ptr<const Named> agreed;  // null: neither
  std::optional<ws::DeflateAgreement> deflate;
  std::any data;
};

class Channel final : public std::enable_shared_from_this<Channel>,
                      public StreamUser,
                      private io::Timer,
                      private io::Deferred {
 public:
  // Takes over the stream and registers with the loop; call `open` next.
  static std::shared_ptr<Channel> create(LoopContext& context, std::unique_ptr<Stream> stream,
                                         std::shared_ptr<const ChannelSettings> settings, Opened opened);
  Channel(LoopContext& context, std::unique_ptr<Stream> stream, std::shared_ptr<const ChannelSettings> settings,
          Opened opened);
  ~Channel() override;

  // Tells the handlers that it is open, and reads `leftover`: what came behind the handshake.
  void open(MutableBytes leftover);
  // The loop goes: everybody who waits is told that it is closed.
  void abandon();

  // ── For the public Connection ─────────────────────────────────────────────────────────────────────────────────────
  SendResult send(MessageKind kind, Bytes payload, Compress compress);
  SendResult send(const SharedMessage& message);
  SendResult send_chunk(MessageKind kind, Bytes piece, bool last, Compress compress);
  SendResult ping(Bytes payload);
  Result<void> close(CloseCode code, std::string_view reason);
  // The application threw: closes with 1011.
  void fail(const Thrown& thrown);

  // ── For the groups that it is in ──────────────────────────────────────────────────────────────────────────────────
  [[nodiscard]] static Channel* of(const Connection& ws) noexcept { return ws.channel_.get(); }
  // Empty again when it has ended.
  [[nodiscard]] std::vector<Membership>& memberships();
  // What a group sends: unlike `send` it comes after nothing that groups still have for this channel.
  SendResult send_in_order(const SharedMessage& message);
  // So many messages that `ws::join` has put together; false: nothing was sent, they go one by one.
  bool send_joined(const SharedMessage& messages, std::size_t count);
  // Not inside a call of its handlers.
  void flush_now() { flush(); }
  using io::Deferred::Ahead;
  void warm_to_send(Ahead place) const noexcept { warm(place); }

  // A piece of what was received, owned.
  struct Received {
    MessageKind kind = MessageKind::text;
    std::string payload;
    bool compressed = false;
    bool first = true;
    bool last = true;
  };
  // True when a message, or the end, is here: `take` has it.
  [[nodiscard]] bool ready_to_receive();
  [[nodiscard]] Result<Received> take();
  // `waiting` is resumed once something is ready, its time is up or it is called off.
  void wait_to_receive(std::coroutine_handle<> waiting);
  // The next `take` gives this error, when somebody still waits.
  void interrupt_receive(Errc why);

  // Nothing is delivered, and soon nothing read, until `release`.
  void hold();
  void release();

  // What a sender waits for: no more than half of the limit is waiting; then a message of any size is taken. For a
  // piece of a streamed message that is the output alone: what waits for its end leaves after it.
  enum class RoomFor : std::uint8_t { message, piece };
  [[nodiscard]] bool has_room(RoomFor what) const noexcept;
  void wait_for_room(std::coroutine_handle<> waiting, RoomFor what);
  void wait_until_closed(std::coroutine_handle<> waiting);
  // Takes back one of these two; false when it is being resumed, or has been.
  bool forget_wait(std::coroutine_handle<> waiting);

  [[nodiscard]] bool may_send() const { return ws_.may_send(); }
  [[nodiscard]] bool closed() const noexcept { return closed_; }
  [[nodiscard]] CloseInfo close_info() const;
  [[nodiscard]] const Error* error() const noexcept { return error_.get(); }
  [[nodiscard]] const Request& request() { return opened_.request.get(); }
  [[nodiscard]] std::string_view subprotocol() const noexcept;
  [[nodiscard]] std::string_view extensions() const noexcept;
  [[nodiscard]] std::any& data() noexcept { return opened_.data; }
  [[nodiscard]] TlsInfo tls_info() const;
  [[nodiscard]] std::size_t queued_bytes() const noexcept;
  // What it costs the memory budget.
  [[nodiscard]] std::size_t held_bytes() const noexcept;
  // Gives its memory back: closes with 1013, or, when it is closing already and its peer takes nothing, at once.
  void shed();
  // Goes on with what was left lying while the loop was short of memory.
  void memory_is_back();
  [[nodiscard]] Duration round_trip_time() const noexcept { return round_trip_time_; }
  [[nodiscard]] const ChannelSettings& settings() const noexcept { return *settings_; }
  [[nodiscard]] LoopContext& context() noexcept { return context_; }
  [[nodiscard]] ConnectionHandle handle();
  // Lends the public object to `visitor`.
  void visit(const std::function<void(Connection&)>& visitor);
  // The last public object of this connection has gone.
  void forsaken();

 private:
  // StreamUser
  void on_secured() override {}
  void on_data(MutableBytes data) override;
  void on_read_turn_end() override;
  void on_room() override;
  void on_stalled() override;
  [[nodiscard]] bool reads_to_the_end() const noexcept override { return true; }
  void on_stream_end(const Error* error) override;
  void on_secure_failed(const Error& error) override { on_stream_end(&error); }
  void on_stream_gone() override;
  // Timer, Deferred
  void on_timer(TimePoint now) override;
  void on_turn_end() override;
  void warm(Ahead place) const noexcept override {
    if (place == Ahead::second) prefetch(*this);
    stream_->warm(place);
  }

  void pump();                      // events of the state machine, until there is none or nobody takes them
  bool dispatch(ws::Event& event);  // false: nobody takes any more for now
  void on_message(const MessageView& message);
  void on_chunk(const ws::ChunkEvent& chunk);
  void on_pong(Bytes payload);
  void on_failed(const Error& error);
  void tell_failure();
  void note_dropped();
  // Log lines (channel_log.cc).
  void log_failure(LogLevel level, std::string_view what, const Error& error);
  void log_opened();
  void log_ended(const CloseInfo& info);
  void arrived(Received received);
  void call_handler(auto&& handler, auto&&... arguments);
  void flush();
  void write_output();
  void cut();           // ends the stream without a goodbye: the peer takes nothing
  void after_output();  // room, end, timer: whatever follows from having written
  void tell_room();
  void end_stream_if_finished();
  [[nodiscard]] bool all_has_left();
  void end_stream();
  void follow_closing();
  [[nodiscard]] TimePoint closing_by() const noexcept;
  [[nodiscard]] TimePoint next_look_at_closing() const noexcept;
  void look_into_system(TimePoint now);
  void on_closing_timer(TimePoint now);
  void give_up(const Error& why);
  void tell_closed();
  void resume_all();
  void rearm();
  SendResult outcome(ws::Sent sent, bool had_room, std::size_t payload_bytes);
  SendResult taken(bool had_room);
  void catch_up_with_groups();
  void leave_groups();
  void want_flush();
  void read_on();
  void read_on_later();
  void end_behind_stream();
  void unregister();
  void let_go_of_loop();
  [[nodiscard]] bool inbox_full() const noexcept;
  // Nobody takes messages any more: they must not keep the peer's close frame from being read.
  [[nodiscard]] bool unheard() const noexcept;
  [[nodiscard]] bool may_deliver() const noexcept;
  // Nothing more reaches the peer, so nobody waits for anything but the end.
  [[nodiscard]] bool sends_in_vain() const noexcept;
  [[nodiscard]] std::size_t half_limit() const noexcept;
  [[nodiscard]] std::size_t waiting_bytes() const noexcept;
  [[nodiscard]] std::size_t output_bytes() const noexcept;
  [[nodiscard]] bool output_below_half() const noexcept;
  [[nodiscard]] bool answers_below_half() const noexcept;
  void slow_down_if_above_half();
  void resume_those_with_room();

  LoopContext& context_;
  std::shared_ptr<const ChannelSettings> settings_;
  std::unique_ptr<Stream> stream_;  // null when it has gone
  ws::Connection ws_;
  Opened opened_;
  SlotTable::Name name_{};
  Connection facade_;  // what handlers are given; holds on to this channel until it has ended

  // What coroutines use; absent in handler style.
  struct Waiters {
    std::coroutine_handle<> receiver;
    std::optional<Errc> interrupted;
    std::vector<Received> inbox;
    std::size_t inbox_bytes = 0;
    struct ForRoom {
      std::coroutine_handle<> handle;
      RoomFor what;
    };
    std::vector<ForRoom> for_room;
    std::vector<std::coroutine_handle<>> for_close;
  };
  Waiters& waiters();

  std::unique_ptr<Waiters> waiters_;
  std::unique_ptr<std::vector<Membership>> memberships_;  // null: it has been in no group
  std::unique_ptr<Error> error_;
  // What may be asked when the stream has gone, and the loop maybe, too; absent where nobody is left to ask.
  struct Afterwards {
    TlsInfo tls;
    std::shared_ptr<Mailbox> mailbox;
  };
  std::unique_ptr<const Afterwards> afterwards_;
  // The ping whose answer is timed.
  struct TimedPing {
    TimePoint sent;
    std::string payload;
    bool payload_is_ours = false;
    bool passed_over = false;
  };
  std::unique_ptr<TimedPing> timed_ping_;
  // Once nothing more is sent behind our close frame: when the peer has to have taken all, and since when the system
  // has all of it and the peer was not seen to take more of that. From then on it owes its close frame and the end of
  // the stream.
  struct Closing {
    TimePoint leave_by;
    std::optional<TimePoint> left;
    std::size_t untaken_bytes = 0;  // that the system had when it was asked last
  };
  std::unique_ptr<Closing> closing_;
  Duration round_trip_time_{};
  bool pumping_ = false;
  bool was_above_half_ = false;
  bool slowed_ = false;   // not read until the peer has taken half of its answers
  bool held_ = false;     // not read until the application says so
  bool starved_ = false;  // not read until the loop has given memory back
  bool released_ = false;
  bool forsaken_ = false;
  bool closed_ = false;  // the close is settled and everybody has been told
  bool registered_ = false;
  bool stream_ended_ = false;  // the peer sends no more; what it sent may still have to be handed over
  bool told_of_drops_ = false;
  bool undelivered_ = false;  // it was closed while something of ours had not left
};

}  // namespace fairlead::net

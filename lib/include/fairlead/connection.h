// SPDX-License-Identifier: Apache-2.0
// An open WebSocket, either end of it: what coroutines, handlers and other threads may do with it.
#pragma once

#include <fairlead/bytes.h>
#include <fairlead/close.h>
#include <fairlead/error.h>
#include <fairlead/http.h>
#include <fairlead/message.h>
#include <fairlead/send_result.h>
#include <fairlead/shared_message.h>
#include <fairlead/task.h>

#include <any>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace fairlead {

namespace net {
class Channel;
class ReceiveWait;
struct Mailbox;
}  // namespace net

// Whether one message is compressed. It only matters where permessage-deflate was agreed on.
enum class Compress : std::uint8_t {
  by_size,  // when the payload reaches the route's threshold (default)
  never,    // a payload that mixes a secret with what others can influence (RFC 7692 8, CRIME)
  always,
};

// A piece of an incoming message, for endpoints that stream. Text pieces may end inside a character.
struct Chunk {
  MessageKind kind = MessageKind::text;
  std::string payload;
  bool first = false;
  bool last = false;
};
struct ChunkView {
  MessageKind kind = MessageKind::text;
  Bytes payload;  // valid during the call
  bool first = false;
  bool last = false;
};

// The answer of `send`, and something to await: `co_await ws.send(…)` goes on once no more than half of the outgoing
// limit is waiting, so a coroutine that awaits its sends is slowed down to its peer's pace and, as the only one that
// sends there, never meets the limit: in this state a message of any size is taken (Limits::outgoing_queue_bytes).
// The message has been taken (or not) before anything is awaited. Valid as long as the connection object. For a wait
// that ends give `send` CallOptions.
class Sending {
 public:
  Sending(net::Channel* channel, SendResult result, bool piece = false) noexcept
      : channel_(channel), result_(result), piece_(piece) {}

  // NOLINTNEXTLINE(google-explicit-constructor): the answer is what most callers want.
  operator SendResult() const noexcept { return result_; }
  [[nodiscard]] SendResult result() const noexcept { return result_; }

  [[nodiscard]] bool await_ready() const noexcept;
  void await_suspend(std::coroutine_handle<> waiting);
  SendResult await_resume() const noexcept;

 private:
  net::Channel* channel_;
  SendResult result_;
  bool piece_;  // of a streamed message: waits for those before it, and not for what waits for its end
};

// Names a connection for other threads and for later: small, copyable, never dangling. Every call is an answer, also
// after the connection has gone (`closed`) and after its server has.
class ConnectionHandle {
 public:
  ConnectionHandle() = default;

  // Thread-safe. On the connection's own loop exact; from another thread `queued` means: on its way to that loop. So
  // much as Limits::outgoing_queue_bytes may be on its way, messages and posted work together; past it `over_limit`
  // tells that this message or work was dropped, and nothing else happens.
  SendResult send(SharedMessage message) const;
  SendResult send(std::string_view text) const { return send(SharedMessage::text(text)); }
  // Never over a limit: while one close is on its way to the loop, further ones are nothing (`queued`). `invalid`: a
  // code that may not be sent, or a reason that is no UTF-8 or over 123 bytes.
  SendResult close(CloseCode code = close_code::normal, std::string_view reason = {}) const;
  // Runs `work` with the connection on its loop, later also when called there, unless it has closed by then. It counts
  // as a message of 384 bytes, whatever it holds. An exception that leaves it closes the connection with 1011.
  SendResult post(std::function<void(class Connection&)> work) const;
  [[nodiscard]] bool open() const noexcept;

  friend bool operator==(const ConnectionHandle&, const ConnectionHandle&) = default;

 private:
  friend class Connection;
  friend class net::Channel;
  std::shared_ptr<net::Mailbox> mailbox_;
  std::uint32_t slot_ = 0;
  std::uint32_t generation_ = 0;
};

// One end of an open WebSocket. Belongs to one loop: call it only there (inside the handler or task that was given it);
// elsewhere use `handle()`. Moving is cheap. Destroying the last object of a connection closes it (1001). One that has
// ended may be asked what is known of it, and be destroyed, when its loop has gone.
class Connection {
 public:
  Connection() noexcept = default;
  explicit Connection(std::shared_ptr<net::Channel> channel) noexcept;
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&& other) noexcept;
  ~Connection();

  // ── Receiving, in a coroutine ─────────────────────────────────────────────────────────────────────────────────────
  // The next message. `Errc::closed` after a close from either side (see `close_info`), `timed_out`, `cancelled`; the
  // latter two leave the connection as it is. One receive at a time.
  [[nodiscard]] Task<Result<Message>> receive(CallOptions options);
  [[nodiscard]] net::ReceiveWait receive();
  // The next piece, on routes and clients with `stream_incoming`: bounded memory for messages of any size.
  [[nodiscard]] Task<Result<Chunk>> receive_chunk(CallOptions options = {});

  // Handler style: no message is handed over after this one, and the peer is slowed down, until `resume_receiving`. For
  // work that a message began and that is to end before the next. Its idle time does not run meanwhile. When nothing
  // can be sent any more it ends all the same, and what had come by then is not handed over, but the peer's close code
  // is.
  void pause_receiving();
  void resume_receiving();

  // ── Sending ───────────────────────────────────────────────────────────────────────────────────────────────────────
  Sending send(std::string_view text, Compress compress = Compress::by_size);
  Sending send(const char* text) { return send(std::string_view(text)); }
  Sending send(Bytes binary, Compress compress = Compress::by_size);
  Sending send(const Message& message, Compress compress = Compress::by_size);
  Sending send(MessageView message, Compress compress = Compress::by_size);
  Sending send(const SharedMessage& message);
  // A message in pieces, each a fragment on the wire. Until `last` other messages wait (`queued`), shared ones too,
  // since they may not stand between (RFC 6455 5.4): bounded as always by Limits::outgoing_queue_bytes and its policy,
  // and a piece past it closes with 1013 whatever the policy, since the message would have a hole. So await the pieces,
  // do not leave a message open, and do not await a message in the coroutine that has still to end the streamed one:
  // whoever awaits a message waits for all that is queued before it; whoever awaits a piece, for the pieces alone.
  Sending send_chunk(MessageKind kind, Bytes piece, bool last, Compress compress = Compress::by_size);
  // The same with a deadline and a way to call it off. They wait first, until no more than half of the outgoing limit
  // is waiting, and take it then, whatever its size; so several that send there do not meet the limit either.
  // `timed_out` and `cancelled`: it was not taken, and nothing is left behind; what has been taken cannot be called
  // back. A view is kept, not copied: its bytes last until the await has ended.
  [[nodiscard]] Task<Result<SendResult>> send(std::string_view text, CallOptions options,
                                              Compress compress = Compress::by_size);
  [[nodiscard]] Task<Result<SendResult>> send(Bytes binary, CallOptions options, Compress compress = Compress::by_size);
  [[nodiscard]] Task<Result<SendResult>> send(MessageView message, CallOptions options,
                                              Compress compress = Compress::by_size);
  [[nodiscard]] Task<Result<SendResult>> send(SharedMessage message, CallOptions options);
  [[nodiscard]] Task<Result<SendResult>> send_chunk(MessageKind kind, Bytes piece, bool last, CallOptions options,
                                                    Compress compress = Compress::by_size);
  // At most 125 bytes. The library answers pings and keeps the connection alive by itself.
  SendResult ping(Bytes payload = {});

  // ── Ending ────────────────────────────────────────────────────────────────────────────────────────────────────────
  // Starts the close handshake; a code that may not be sent or a reason over 123 bytes is `invalid_argument`.
  Result<void> close(CloseCode code = close_code::normal, std::string_view reason = {});
  // Waits until the close handshake is over and the stream has ended. Until one of the sides has closed, somebody has
  // to receive meanwhile: the peer is slowed down by messages that nobody takes. After our own close they are dropped.
  [[nodiscard]] Task<CloseInfo> closed();
  // `timed_out`, `cancelled`: it has not ended yet, and goes on as it was.
  [[nodiscard]] Task<Result<CloseInfo>> closed(CallOptions options);

  // ── Knowing ───────────────────────────────────────────────────────────────────────────────────────────────────────
  [[nodiscard]] bool open() const noexcept;
  [[nodiscard]] CloseInfo close_info() const;
  // The error that ended it, when it was not a close of either application; with what an exception of its own says.
  [[nodiscard]] const Error* error() const noexcept;
  // The request that opened it, with peer address, TLS facts and client certificate. On a server the fields of the
  // handshake itself (Upgrade, Connection, Sec-WebSocket-*) have been removed once it is open. Lasts as long as the
  // connection. It is kept packed until it is asked for, which costs some 500 bytes for each connection that asks.
  [[nodiscard]] const Request& request() const noexcept;
  [[nodiscard]] std::string_view subprotocol() const noexcept;  // empty: none
  [[nodiscard]] std::string_view extensions() const noexcept;   // as agreed on, empty: none
  [[nodiscard]] TlsInfo tls() const;
  [[nodiscard]] std::size_t queued_bytes() const noexcept;
  // From a `ping` to the pong with its payload, of the last one that was timed; zero before. One is timed at a time: a
  // ping that leaves before the timed one is answered is not. One without a payload gets a random one for it, which no
  // handler sees, so that no pong fits that answers nothing.
  [[nodiscard]] Duration round_trip_time() const noexcept;
  [[nodiscard]] ConnectionHandle handle() const;
  // A place for the application's own state; lives as long as the connection.
  [[nodiscard]] std::any& data() noexcept;

 private:
  friend class net::Channel;
  struct Borrowed {};
  Connection(std::shared_ptr<net::Channel> channel, Borrowed) noexcept;

  std::shared_ptr<net::Channel> channel_;
  bool owner_ = false;  // its destruction closes the connection
};

// ── The handler style: plain calls on the loop of the connection ────────────────────────────────────────────────────
// All calls of one connection get the same object, which stays where it is until `close` has returned.
// Any of them may be empty. An exception that leaves one closes the connection with 1011. On a server a peer whose
// outgoing queue is more than half full is not read from until it has taken its answers: so who sends one answer to
// each message never meets the limit.
struct Handlers {
  std::function<void(Connection&)> open{};
  std::function<void(Connection&, MessageView)> message{};  // the view is valid during the call
  std::function<void(Connection&, ChunkView)> chunk{};      // set it instead of `message` to stream
  std::function<void(Connection&, Bytes)> pong{};
  // At most half of the outgoing limit is waiting again, not counting what waits for a streamed message to end.
  std::function<void(Connection&)> drain{};
  std::function<void(Connection&, const CloseInfo&)> close{};  // the last call; the connection is closed already
};

namespace net {
// What `receive()` without options returns: as cheap as an await can be.
class ReceiveWait {
 public:
  explicit ReceiveWait(Channel* channel) noexcept : channel_(channel) {}
  [[nodiscard]] bool await_ready();
  void await_suspend(std::coroutine_handle<> waiting);
  [[nodiscard]] Result<Message> await_resume();

 private:
  Channel* channel_;
};
}  // namespace net

}  // namespace fairlead

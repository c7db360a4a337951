// SPDX-License-Identifier: Apache-2.0
// WebSocket without I/O: for programs that have their own sockets, event loop or transport. Bytes in, events out, bytes
// to send; no thread, no clock, no socket. The servers and clients of this library run on the same code.
//
//   protocol::Context context;                                       // one per thread
//   protocol::ServerHandshake handshake(context, {}, now);
//   handshake.receive(bytes, now);
//   if (auto request = handshake.next_request()) …                   // look at it, then accept or refuse
//   auto channel = handshake.accept({}, now);                        // send handshake.output() first
//   channel->connection.receive(bytes, now);
//   while (auto event = channel->connection.next_event()) …
//
// A whole program is examples/in_memory_pipe.cc.
#pragma once

#include <fairlead/bytes.h>
#include <fairlead/close.h>
#include <fairlead/compression.h>
#include <fairlead/error.h>
#include <fairlead/http.h>
#include <fairlead/limits.h>
#include <fairlead/message.h>
#include <fairlead/shared_message.h>
#include <fairlead/time.h>
#include <fairlead/url.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fairlead::protocol {

enum class Role : std::uint8_t { server, client };

// How received messages are handed over: whole, or in the pieces in which they arrive (bounded memory for any length;
// lift Limits::message_bytes and Limits::frame_bytes for messages without end).
enum class Delivery : std::uint8_t { messages, chunks };

// Whether one message is compressed; it only matters where permessage-deflate was agreed on.
enum class Compress : std::uint8_t { by_settings, never, always };

// What both ends agreed on for permessage-deflate (RFC 7692 7.1). Bits are 8–15. "ours" compresses, "theirs" inflates.
struct DeflateAgreement {
  std::uint8_t our_window_bits = 15;
  std::uint8_t their_window_bits = 15;
  bool our_context_takeover = true;
  bool their_context_takeover = true;
};

// What became of something that was to be sent.
enum class Sent : std::uint8_t {
  accepted,    // it is in the output
  over_limit,  // dropped by the overflow policy (or the connection is being closed by it: see `close_info`)
  waiting,     // taken, behind the streamed message that is open (RFC 6455 5.4): it gets into the output when that ends
  closed,      // a close frame has been sent, or the connection failed
  invalid,  // a mistake of the caller, and nothing was sent: text that is not UTF-8, a ping with more than 125 bytes,
            // an empty SharedMessage, a piece of another kind than its message
};

// ── Events, in the order in which they happened ─────────────────────────────────────────────────────────────────────
// Views are valid until the next `receive`, `next_event`, `retain` or `on_deadline`; sending leaves them alone, so that
// what was received can be sent on, and more than once.
struct MessageEvent {
  MessageView message;
};
// A piece of a message, when the delivery is `chunks`; both flags may be true. Text pieces may end inside a character:
// the text as a whole is checked while it arrives.
struct ChunkEvent {
  MessageKind kind = MessageKind::text;
  Bytes payload;
  bool first = false;
  bool last = false;
};
struct PingEvent {  // has been answered already
  Bytes payload;
};
struct PongEvent {
  Bytes payload;
};
// The peer's close frame has arrived; ours is in the output, now or since before. No data follows.
struct ClosedEvent {};
// A rule was broken, a limit passed, or the stream ended without a close frame. Where one can still be sent, a close
// frame with the matching code is in the output. Nothing is read any more.
struct FailedEvent {
  Error error;
};
using Event = std::variant<MessageEvent, ChunkEvent, PingEvent, PongEvent, ClosedEvent, FailedEvent>;

// ── What connections are made with ──────────────────────────────────────────────────────────────────────────────────

struct Options {
  Limits limits;
  Compression compression;  // a server accepts permessage-deflate with it, a client offers it
  Delivery delivery = Delivery::messages;
};

// Buffers, compressors and randomness (from the kernel) that connections share. Not thread-safe: one per thread. It
// outlives every connection and handshake made with it.
class Context {
 public:
  Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context();

  // Bytes that connections hold in buffers at the moment.
  [[nodiscard]] std::size_t buffered_bytes() const noexcept;

  struct Parts;
  [[nodiscard]] Parts& parts() noexcept { return *parts_; }

 private:
  std::unique_ptr<Parts> parts_;
};

// One WebSocket after the opening handshake (RFC 6455 5–7, RFC 7692), either role. Feed it, read its events, send its
// output, wake it at its deadline. Not thread-safe. A moved-from connection may only be destroyed or assigned to.
class Connection {
 public:
  // For a handshake made elsewhere; else ServerHandshake and ClientHandshake make connections.
  Connection(Role role, Context& context, const Options& options, std::optional<DeflateAgreement> deflate,
             TimePoint now);
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&& other) noexcept;
  ~Connection();

  // Takes bytes of the stream. They are unmasked where they lie, so they must be writable, and they must stay until
  // `retain`. Everything received before must have been read (next_event empty) or retained.
  void receive(MutableBytes in, TimePoint now);
  // The next thing that happened; empty when more bytes are needed.
  [[nodiscard]] std::optional<Event> next_event();
  // Copies what `next_event` has not read yet, so that the caller may reuse the buffer. Cheap when there is nothing.
  void retain();
  // The stream ended below: what was received before is still given out.
  void receive_end(TimePoint now);

  // Idle ping, idle limit, close limit. May be earlier than needed: waking too early only computes the next one.
  [[nodiscard]] std::optional<TimePoint> deadline() const;
  void on_deadline(TimePoint now);  // then read next_event

  // Fills `views` with the first pieces of what is to be sent, in order, and returns how many; `consume` says how many
  // bytes have been taken. Views are valid until the next call that is not const.
  [[nodiscard]] std::size_t output(std::span<Bytes> views) const;
  void consume(std::size_t bytes);
  [[nodiscard]] std::size_t output_bytes() const;
  // The same, with the messages that wait for a streamed one to end.
  [[nodiscard]] std::size_t queued_bytes() const;

  [[nodiscard]] Sent send(MessageKind kind, Bytes payload, TimePoint now, Compress compress = Compress::by_settings);
  [[nodiscard]] Sent send_text(std::string_view text, TimePoint now) {
    return send(MessageKind::text, as_bytes(text), now);
  }
  [[nodiscard]] Sent send(const SharedMessage& message, TimePoint now);
  // A message in pieces: the first call opens it, `last` ends it. A piece past the limit closes the connection
  // (`over_limit`, 1013), whatever the policy, since the message would have a hole: send while `output_bytes` are at
  // most half of the limit. Other messages wait meanwhile (`waiting`), within the same limit and policy; when the
  // connection ends first they are lost.
  [[nodiscard]] Sent send_chunk(MessageKind kind, Bytes payload, bool last, TimePoint now,
                                Compress compress = Compress::by_settings);
  [[nodiscard]] Sent ping(Bytes payload, TimePoint now);
  // Starts the close handshake. invalid_argument for a code or a reason that may not be sent; later calls are ignored.
  Result<void> close(CloseCode code, std::string_view reason, TimePoint now);

  [[nodiscard]] bool may_send() const;
  // Nothing is left to do but to end the stream. End the sending half, and read on until the peer ends its own (for at
  // most Limits::close_time), so that no reset overtakes the close frame.
  [[nodiscard]] bool finished() const;
  [[nodiscard]] CloseInfo close_info() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What a handshake ends in. Bytes that came behind the handshake are in the connection already: read its events first.
struct Channel {
  Connection connection;
  std::string subprotocol;  // empty: none
};

// ── Opening handshakes (RFC 6455 4) ─────────────────────────────────────────────────────────────────────────────────

// The server's: one request, and the answer to it. Nobody's Origin is checked here: look at Request::origin.
class ServerHandshake {
 public:
  ServerHandshake(Context& context, const Options& options, TimePoint now);
  ServerHandshake(ServerHandshake&& other) noexcept;
  ServerHandshake& operator=(ServerHandshake&& other) noexcept;
  ~ServerHandshake();

  void receive(Bytes in, TimePoint now);
  // Empty when more bytes are needed. A request is a valid opening handshake: accept or refuse it. After an error, the
  // response that fits is in the output: send it, then end the stream.
  [[nodiscard]] std::optional<Result<Request>> next_request();

  struct Choice {
    std::string subprotocol;  // one that the client offers, or empty for none
    Headers headers;          // further fields of the 101, such as Set-Cookie
  };
  // Puts the 101 into the output; send it before the connection's own. invalid_argument when the choice does not fit
  // the request, which can then still be answered.
  [[nodiscard]] Result<Channel> accept(const Choice& choice, TimePoint now);
  // Puts another response into the output; end the stream when it has left.
  void refuse(const Response& response);

  [[nodiscard]] Bytes output() const;
  void consume(std::size_t bytes);
  [[nodiscard]] std::optional<TimePoint> deadline() const;
  void on_deadline(TimePoint now);  // then read next_request

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The client's: the request is in the output from the start.
class ClientHandshake {
 public:
  struct Wish {
    std::vector<std::string> subprotocols;  // preferred first
    std::string origin;                     // empty: no Origin field, as programs do
    Headers headers;                        // Authorization, Cookie, User-Agent…
  };
  [[nodiscard]] static Result<ClientHandshake> start(Context& context, const Options& options, const Url& url,
                                                     const Wish& wish, TimePoint now);
  ClientHandshake(ClientHandshake&& other) noexcept;
  ClientHandshake& operator=(ClientHandshake&& other) noexcept;
  ~ClientHandshake();

  void receive(Bytes in, TimePoint now);
  void receive_end();
  // Empty when more bytes are needed; then a channel, or why there is none (RFC 6455 4.1: every MUST is checked).
  [[nodiscard]] std::optional<Result<Channel>> next_channel(TimePoint now);

  [[nodiscard]] Bytes output() const;
  void consume(std::size_t bytes);
  [[nodiscard]] std::optional<TimePoint> deadline() const;
  void on_deadline(TimePoint now);  // then read next_channel

 private:
  struct State;
  explicit ClientHandshake(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fairlead::protocol

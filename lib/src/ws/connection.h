// SPDX-License-Identifier: Apache-2.0
// One WebSocket after the opening handshake, without I/O (RFC 6455 5–7, RFC 7692): bytes in, events out, bytes to send.
#pragma once

#include <fairlead/bytes.h>
#include <fairlead/close.h>
#include <fairlead/error.h>
#include <fairlead/limits.h>
#include <fairlead/message.h>
#include <fairlead/shared_message.h>
#include <fairlead/time.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

namespace fairlead {
class BufferPool;
class Entropy;
}  // namespace fairlead

namespace fairlead::ws {

enum class Role : std::uint8_t { server, client };
enum class Delivery : std::uint8_t { messages, chunks };

// What both ends agreed on for permessage-deflate (RFC 7692 7.1). Bits are 8–15. "ours" compresses, "theirs" inflates.
struct DeflateAgreement {
  std::uint8_t our_window_bits = 15;
  std::uint8_t their_window_bits = 15;
  bool our_context_takeover = true;
  bool their_context_takeover = true;
};

// ── Events, in the order in which they happened ─────────────────────────────────────────────────────────────────────
// Views are valid until the next call of a member function that is not const.
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
// A rule was broken or a limit passed; a close frame with the matching code (errors.h) is in the output. Nothing is
// read any more.
struct FailedEvent {
  Error error;
};
using Event = std::variant<MessageEvent, ChunkEvent, PingEvent, PongEvent, ClosedEvent, FailedEvent>;

// What became of something that was to be sent.
enum class Sent : std::uint8_t {
  accepted,    // it is in the output
  over_limit,  // dropped by the overflow policy (or the connection is being closed by it: see `close_info`)
  busy,        // a streamed message is open: its pieces must not be interleaved with another message (5.4)
  closed,      // a close frame has been sent, or the connection failed
};

// What a connection needs and shares with all others of its loop. Everything outlives the connection.
struct Settings;    // settings.h: limits, delivery, compression thresholds
struct Resources;   // settings.h: Entropy&, BufferPool&, and the loop's shared compressor

// The state machine of one WebSocket, either role. Five verbs: `receive`, `next_event`, `output`/`consume`, `deadline`,
// `on_deadline`; and what an application may ask for. Not thread-safe.
//
//   connection.receive(bytes, now);
//   while (auto event = connection.next_event()) …;
//   connection.retain();                                    // before `bytes` goes away
//   … send the output; … wake at deadline()
class Connection {
 public:
  Connection(Role role, const Settings& settings, const Resources& resources, std::optional<DeflateAgreement> deflate,
             TimePoint now);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // ── Bytes from below ──────────────────────────────────────────────────────────────────────────────────────────────
  // Takes bytes of the stream. They are unmasked where they lie, so they must be writable, and they must stay until
  // `retain`. Everything received before must have been read (next_event empty) or retained.
  void receive(MutableBytes in, TimePoint now);
  // The next thing that happened; empty when more bytes are needed.
  [[nodiscard]] std::optional<Event> next_event();
  // Copies what `next_event` has not read yet, so that the caller may reuse the buffer. Cheap when there is nothing.
  void retain();
  // The stream ended below. Without a close frame the close code becomes 1006.
  void receive_end(TimePoint now);

  // ── Time ──────────────────────────────────────────────────────────────────────────────────────────────────────────
  // The idle ping, the idle limit, the close limit. May be earlier than needed: a wake-up that is too early only
  // computes the next one, so activity need not move a timer.
  [[nodiscard]] std::optional<TimePoint> deadline() const;
  void on_deadline(TimePoint now);  // then next_event() may have a FailedEvent

  // ── Bytes for below ───────────────────────────────────────────────────────────────────────────────────────────────
  // Fills `views` with the first pieces of what is to be sent, in order, and returns how many it filled; `consume` says
  // how many bytes of them have been taken. Views are valid until the next call that is not const.
  [[nodiscard]] std::size_t output(std::span<Bytes> views) const;
  void consume(std::size_t bytes);
  [[nodiscard]] std::size_t queued_bytes() const;

  // ── What the application asks for ─────────────────────────────────────────────────────────────────────────────────
  enum class Compress : std::uint8_t { by_settings, never, always };
  // Text must be valid UTF-8: checked; the answer to invalid text is an assertion in debug and `closed`… (see .cc)
  [[nodiscard]] Sent send(MessageKind kind, Bytes payload, TimePoint now, Compress compress = Compress::by_settings);
  // An already framed message (server role: the payload is not copied; client role: it is, since it must be masked).
  [[nodiscard]] Sent send(const SharedMessage& message, TimePoint now);
  // A message in pieces of unknown number: each is one fragment; `last` ends the message. The first call opens it.
  [[nodiscard]] Sent send_chunk(MessageKind kind, Bytes payload, bool last, TimePoint now,
                                Compress compress = Compress::by_settings);
  // At most 125 bytes of payload.
  [[nodiscard]] Sent ping(Bytes payload, TimePoint now);
  // Starts the close handshake (7.1.2). A code that may not be sent or a reason that is too long or not UTF-8 is an
  // `invalid_argument`. Code 1005 sends an empty close frame. Later calls are ignored.
  Result<void> close(CloseCode code, std::string_view reason, TimePoint now);

  // ── What is known ─────────────────────────────────────────────────────────────────────────────────────────────────
  [[nodiscard]] bool may_send() const;      // no close frame of ours has been queued
  [[nodiscard]] bool close_received() const;
  // Nothing is left to do for this side but to end the stream: both close frames crossed (a server ends the stream at
  // once, a client waits for the server to do so until `deadline`, 7.1.1), or the connection failed.
  [[nodiscard]] bool finished() const;
  [[nodiscard]] CloseInfo close_info() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fairlead::ws

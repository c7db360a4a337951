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

#include "ws/events.h"
#include "ws/role.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace fairlead::ws {

// What a connection is told and what it shares with all others of its loop: settings.h. Lent, so both outlive it.
struct Settings;
struct Resources;

// How long nothing is received before the idle ping goes out: half of the idle time, but never no time at all.
[[nodiscard]] constexpr std::chrono::milliseconds quiet_before_ping(std::chrono::milliseconds idle_time) noexcept {
  return std::max(idle_time / 2, std::chrono::milliseconds(1));
}

// What a close frame may say: `invalid_argument` for a code that may not be sent, or a reason that is too long, not
// UTF-8 or without a code.
[[nodiscard]] Result<void> check_close(CloseCode code, std::string_view reason);

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
  // The failure that `next_event` gives next, if it does: for whoever reads no more events.
  [[nodiscard]] std::optional<Error> take_failure();
  // Copies what `next_event` has not read yet, so that the caller may reuse the buffer. Cheap when there is nothing.
  void retain();
  // The stream ended below: next_event gives what was received before. Without a close frame a FailedEvent with
  // unexpected_eof follows, and the close code becomes 1006.
  void receive_end(TimePoint now);

  // ── Time ──────────────────────────────────────────────────────────────────────────────────────────────────────────
  // The idle ping, the idle limit, the close limit. May be earlier than needed: a wake-up that is too early only
  // computes the next one, so activity need not move a timer.
  [[nodiscard]] std::optional<TimePoint> deadline() const;
  void on_deadline(TimePoint now);  // then next_event() may have a FailedEvent
  // The peer was not read from until now: what it was silent for before says nothing of it.
  void restart_idle_time(TimePoint now);

  // ── Bytes for below ───────────────────────────────────────────────────────────────────────────────────────────────
  // Fills `views` with the first pieces of what is to be sent, in order, and returns how many it filled; `consume` says
  // how many bytes of them have been taken. Views are valid until the next call that is not const.
  [[nodiscard]] std::size_t output(std::span<Bytes> views) const;
  void consume(std::size_t bytes);
  // Of the output.
  [[nodiscard]] std::size_t output_bytes() const;
  // The same, with the messages that wait for a streamed one to end.
  [[nodiscard]] std::size_t queued_bytes() const;
  // The same, with the bytes of a message that has not been received to its end.
  [[nodiscard]] std::size_t held_bytes() const;

  // Messages that were dropped, since this was last asked: see Sender.
  [[nodiscard]] std::uint32_t take_dropped();
  // The stream has gone: nothing more leaves, and what still waits for a streamed message counts as dropped.
  void stop_sending();
  // The same, and everything that it has of the Resources goes back: they may go first. Afterwards only what is known
  // may be asked.
  void give_back();

  // ── What the application asks for ─────────────────────────────────────────────────────────────────────────────────
  using Compress = ws::Compress;
  // Text must be valid UTF-8: it is checked, and other text is not sent.
  [[nodiscard]] Sent send(MessageKind kind, Bytes payload, TimePoint now, Compress compress = Compress::by_settings);
  // An already framed message (server role: the payload is not copied; client role: it is, since it must be masked).
  [[nodiscard]] Sent send(const SharedMessage& message, TimePoint now);
  // What `join` made of several. False: nothing was sent, they have to be sent one by one.
  [[nodiscard]] bool send_joined(const SharedMessage& messages);
  // A message in pieces of unknown number: each is one fragment; `last` ends the message. The first call opens it.
  // A piece that does not fit ends the connection, whatever the overflow policy. Text may be cut anywhere. Messages
  // that are sent before `last` are `waiting` until then.
  [[nodiscard]] Sent send_chunk(MessageKind kind, Bytes payload, bool last, TimePoint now,
                                Compress compress = Compress::by_settings);
  // At most 125 bytes of payload.
  [[nodiscard]] Sent ping(Bytes payload, TimePoint now);
  // Starts the close handshake (7.1.2). A code that may not be sent or a reason that is too long or not UTF-8 is an
  // `invalid_argument`. Code 1005 sends an empty close frame. Later calls are ignored.
  Result<void> close(CloseCode code, std::string_view reason, TimePoint now);

  // Ends it for a reason of ours: drops everything that has not begun to leave, then sends the close frame that the
  // error becomes. `next_event` tells it like a fault of the peer. Nothing when a close frame has been sent.
  void give_up(Errc why, TimePoint now);

  // ── What is known ─────────────────────────────────────────────────────────────────────────────────────────────────
  [[nodiscard]] bool may_send() const;  // no close frame of ours has been queued
  [[nodiscard]] bool close_received() const;
  // Nothing is left to do for this side but to end the stream: both close frames crossed (a server ends the stream at
  // once, a client waits for the server to do so until `deadline`, 7.1.1), the connection failed, or time is up. What
  // is in the output has left by then or never will. To keep the close frame from being lost in a reset, end only the
  // sending half and read on until the peer ends its own, for at most `close_time`.
  [[nodiscard]] bool finished() const;
  // Nothing more can be said either: the stream ended without a close frame, or time is up.
  [[nodiscard]] bool over() const;
  [[nodiscard]] CloseInfo close_info() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fairlead::ws

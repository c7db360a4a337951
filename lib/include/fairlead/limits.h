// SPDX-License-Identifier: Apache-2.0
// Every limit of a connection and of a server, with unit, default and reason. Zero means "refuse everything" only where
// that makes sense; to lift a limit say `unlimited`, or `Milliseconds::max()` for a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace fairlead {

inline constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

// What happens to a message that does not fit into a connection's outgoing queue.
enum class OverflowPolicy : std::uint8_t {
  close,        // close with 1013: the receiver is too slow to be useful (default)
  drop_newest,  // the message being sent is not queued
  drop_oldest,  // whole queued messages that have not begun to leave are dropped, oldest first
  // What is dropped is counted (ServerStats::messages_dropped), and a line says once which connection's it is.
};

struct Limits {
  using Milliseconds = std::chrono::milliseconds;

  // ── Before the channel is open ────────────────────────────────────────────────────────────────────────────────────
  // From accept to Finished; a slow-loris holds a slot no longer than this. When very many come at once, their
  // handshakes wait for one another: time in which a peer has said its part and waits for us is not counted.
  Milliseconds tls_handshake_time{5'000};
  Milliseconds http_head_time{5'000};       // for the whole head, not per byte; browsers need a few round trips at most
  Milliseconds http_idle_time{15'000};      // a kept-alive HTTP connection between requests
  std::size_t http_head_bytes = 16 * 1024;  // request line and fields together; 431 past it
  std::size_t http_header_count = 100;      // 431 past it
  std::size_t http_body_bytes = 64 * 1024;  // an ordinary request's body; 413 past it
  // A body may take http_head_time, and what so much of it as has arrived takes at this rate: a phone with little
  // reception is slower than a server is patient with a head. Who only announces a long body gets no time for it. 408
  // past it.
  std::size_t http_body_bytes_per_second = 16 * 1024;
  Milliseconds accept_time{10'000};  // for the application's accept hook; 503 past it

  // ── TLS after its handshake ───────────────────────────────────────────────────────────────────────────────────────
  // KeyUpdates, tickets, alerts and empty records, which cost far more than they weigh: token bucket with a burst of
  // twice this. An honest peer sends a few in a connection's life (RFC 8446 5.5). Past it the connection is closed.
  std::size_t tls_messages_per_second = 10;

  // ── Incoming messages ─────────────────────────────────────────────────────────────────────────────────────────────
  std::size_t message_bytes = 1024 * 1024;     // inflated and assembled; counted while it arrives; 1009 past it
  std::size_t frame_bytes = 1024 * 1024;       // one frame's payload as declared in its header; 1009 past it
  std::size_t fragments_per_message = 1'024;   // frames of one message, empty ones counted; 1008 past it
  std::size_t control_frames_per_second = 50;  // pings and pongs, token bucket with a burst of twice this; 1008
  std::size_t messages_per_second = 1'000;     // token bucket with a burst of twice this; 1008 past it

  // ── Outgoing ──────────────────────────────────────────────────────────────────────────────────────────────────────
  std::size_t outgoing_queue_bytes = 1024 * 1024;  // waiting to be written; a single larger message may stand alone
  OverflowPolicy overflow = OverflowPolicy::close;

  // ── Liveness ──────────────────────────────────────────────────────────────────────────────────────────────────────
  Milliseconds idle_time{60'000};  // nothing received for this long closes; a ping goes out at half of it; 0: never
  Milliseconds close_time{5'000};  // from our close frame to the end of the TCP connection
  Milliseconds write_stall_time{30'000};  // queued bytes of which the peer takes none for this long: closed

  // ── The whole server ──────────────────────────────────────────────────────────────────────────────────────────────
  std::size_t connections = 100'000;            // closed at accept past it
  std::size_t connections_per_address = 1'000;  // IPv4 by address, IPv6 by /64; closed at accept past it
  // Buffers and queues of all connections. Past it new connections are closed, upgrades and requests get 503, and each
  // loop on which memory grows closes, behind its turn, the WebSockets that hold most of it (1013) until they have
  // given back what grew: it may be passed by what one turn sends. Not counted: compressors, up to 128 KiB of
  // ciphertext for each connection that is held back, and what the application holds (shared messages, too).
  std::size_t memory_budget_bytes = std::size_t{2} * 1024 * 1024 * 1024;
};

// What a client limits by default: it chose the server, so how many messages come is the server's business.
[[nodiscard]] constexpr Limits client_limits() noexcept {
  Limits limits;
  limits.messages_per_second = unlimited;
  return limits;
}

}  // namespace fairlead

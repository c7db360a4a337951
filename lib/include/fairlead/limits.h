// SPDX-License-Identifier: Apache-2.0
// The limits of a connection and of a server that can be set, with unit, default and reason. Zero means "refuse
// everything" only where that makes sense; to lift a limit say `unlimited`, or `Milliseconds::max()` for a time. What
// is bounded besides, by numbers that nobody has to set, is in docs/limits.md.
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
  // A piece of a streamed message closes whatever the policy: without it the message would have a hole.
  // What is dropped is counted (ServerStats::messages_dropped), and a line says once which connection's it is.
};

struct Limits {
  using Milliseconds = std::chrono::milliseconds;

  // ── Before the channel is open ────────────────────────────────────────────────────────────────────────────────────
  // From accept to Finished: ten round trips of half a second, which is more than the worst mobile networks need, and a
  // slow-loris holds a slot no longer. When very many come at once, their handshakes wait for one another: time in
  // which a peer has said its part and waits for us is not counted.
  Milliseconds tls_handshake_time{5'000};
  // For the whole head, not per byte: it fits a few packets, and a slow-loris gets no more.
  Milliseconds http_head_time{5'000};
  // A kept-alive HTTP connection between requests: while a page loads its parts; browsers come back by themselves.
  Milliseconds http_idle_time{15'000};
  // Request line and fields together: cookies and tokens are long, other servers take 8 to 16 KiB. 431 past it.
  std::size_t http_head_bytes = 16 * 1024;
  std::size_t http_header_count = 100;  // browsers send some twenty, proxies add a few; 431 past it
  // An ordinary request's body, which is held in memory as a whole: a form or a command, no upload. 413 past it.
  std::size_t http_body_bytes = 64 * 1024;
  // Bytes per second, that a phone with little reception reaches. A body may take http_head_time, and what so much of
  // it as has arrived takes at this rate: who only announces a long body gets no time for it. 408 past it.
  std::size_t http_body_bytes_per_second = 16 * 1024;
  // For the application's accept hook: a database that takes longer is down, and browsers still wait. 503 past it.
  Milliseconds accept_time{10'000};

  // ── TLS after its handshake ───────────────────────────────────────────────────────────────────────────────────────
  // KeyUpdates, tickets, alerts and empty records, which cost far more than they weigh: token bucket with a burst of
  // twice this. An honest peer sends a few in a connection's life (RFC 8446 5.5). Past it the connection is closed.
  std::size_t tls_messages_per_second = 10;

  // ── Incoming messages ─────────────────────────────────────────────────────────────────────────────────────────────
  // Bytes, inflated and assembled, counted while it arrives: larger things are better streamed, and a thousand peers
  // with a message each under way stay within a gigabyte. 1009 past it.
  std::size_t message_bytes = 1024 * 1024;
  std::size_t frame_bytes = 1024 * 1024;  // of payload, as declared: a message may be one frame; 1009 past it
  // Frames of one message, empty ones counted: 1 KiB each for the largest message, while each costs a header's work.
  // 1008 past it.
  std::size_t fragments_per_message = 1'024;
  // Pings and pongs, which we answer: heartbeats come once in seconds. Token bucket with a burst of twice this; 1008.
  std::size_t control_frames_per_second = 50;
  // Far above what people and sensors send, far below what fills a core. Token bucket with a burst of twice this; 1008.
  std::size_t messages_per_second = 1'000;

  // ── Outgoing ──────────────────────────────────────────────────────────────────────────────────────────────────────
  // Bytes that wait to be written: one largest message, or seconds of a slow link. While no more than half of it waits
  // a message of any size is taken, so that whoever waits for that state never meets the limit: half of it and one
  // message may be held, where that is more. While a streamed message is open, so much for its pieces, and so much for
  // what waits behind it.
  std::size_t outgoing_queue_bytes = 1024 * 1024;
  OverflowPolicy overflow = OverflowPolicy::close;

  // ── Liveness ──────────────────────────────────────────────────────────────────────────────────────────────────────
  // Nothing received for this long closes, a ping goes out at half of it; 0: never. Below the minute or more after
  // which proxies and address translators forget a silent connection.
  Milliseconds idle_time{60'000};
  // For what a peer owes once our close frame, and all before it, has left: its own close frame and the end of the TCP
  // connection. A few slow round trips, as for the handshake. What the system has taken has not left as long as it is
  // seen to give more and more of it to the peer. (The protocol core does not know what has left, and counts from its
  // close frame on.)
  Milliseconds close_time{5'000};
  // Queued bytes of which the peer takes none for this long: closed. A tunnel may take a phone's network away. From our
  // close frame on the peer has this long and what so many bytes as wait then, here and in the system, need at
  // 16 KiB/s, to take all of them: who takes a little for ever is not waited for. `Server::drain` waits for its window
  // and `close_time` alone.
  Milliseconds write_stall_time{30'000};

  // ── The whole server ──────────────────────────────────────────────────────────────────────────────────────────────
  // Some kilobytes and a descriptor each: what a small machine holds. Closed at accept past it.
  std::size_t connections = 100'000;
  // IPv4 by address, IPv6 by /64: an office or a carrier's translator shares one, an attacker has few. Closed then.
  std::size_t connections_per_address = 1'000;
  // Bytes: a small machine's memory; 20 KiB for each of `connections`. Counted: pooled buffers that are lent to
  // connections, that is messages under way in either direction, what waits to be written, heads of requests, and
  // answers; what zlib has taken to compress and to inflate (some 300 KiB for a connection that keeps both contexts);
  // and, by what was measured, OpenSSL's objects (48 KiB during a handshake, 14 KiB where its record layer stays). Past
  // it new connections are closed, upgrades and requests get 503, and each loop on which memory grows closes, behind
  // its turn, the WebSockets that hold most of it (1013) until they have given back what grew: it may be passed by what
  // one turn sends. Bodies of requests may take a quarter of it, and get 503 past that. Not counted: the connections'
  // own objects; messages that wait for a coroutine (64 KiB, and the one that passes them); the beginning of a TLS
  // record whose rest has not come (16 KiB); up to 128 KiB that were read for each connection that is held back; and
  // what the application holds (shared messages, too); 2.4 MiB of each loop for what it reads and writes together. Each
  // of these has its bound for one connection, and `connections` is the bound of how many there are.
  std::size_t memory_budget_bytes = std::size_t{2} * 1024 * 1024 * 1024;
};

// What a client limits by default: it chose the server, so how many messages come is the server's business.
[[nodiscard]] constexpr Limits client_limits() noexcept {
  Limits limits;
  limits.messages_per_second = unlimited;
  return limits;
}

}  // namespace fairlead

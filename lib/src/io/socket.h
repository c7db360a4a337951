// SPDX-License-Identifier: Apache-2.0
// A non-blocking stream socket: read and written directly, waited for through the loop.
#pragma once

#include "io/endpoint.h"
#include "io/loop.h"
#include "io/read_ahead.h"
#include "io/transfer.h"

#include <fairlead/bytes.h>
#include <fairlead/error.h>

#include <cstddef>
#include <cstdint>

namespace fairlead::io {

// Who is told when a socket is ready. Each wait is answered once.
class SocketEvents {
 public:
  virtual void on_readable() = 0;
  virtual void on_writable() = 0;
  // Told that it is readable, it would read at once: then it may be read ahead, together with others.
  [[nodiscard]] virtual bool reads_when_told() const noexcept { return false; }
  // What `Socket::write_soon` gathered has been written; `rest` was not taken. No socket may be destroyed from here.
  virtual void on_written(std::size_t /*bytes*/, Bytes /*rest*/) {}

 protected:
  ~SocketEvents() = default;
};

// Owns a file descriptor. After destruction or `close` no event comes any more, whatever was waited for. The loop
// outlives it.
class Socket {
 public:
  enum class Kind : std::uint8_t { stream, listening };
  // Takes over a non-blocking descriptor. One that the system does not watch is told as readable once; what comes later
  // is not told, so it lives as long as its owner's timers let it.
  Socket(Loop& loop, int descriptor, Kind kind = Kind::stream);
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket();

  void set_events(SocketEvents* events) noexcept { events_ = events; }
  void wait_readable();
  void wait_writable();

  // The bytes lie in `room` or in memory of the loop, where they are valid until `on_readable` returns.
  [[nodiscard]] Received read(MutableBytes room) noexcept;
  // Not while something is gathered.
  [[nodiscard]] Transferred write(Bytes from, More more = More::nothing) noexcept;
  // Copies the bytes behind what this socket has gathered already, to be written soon, together with those of other
  // sockets; `on_written` follows, maybe from inside this call. False when there are too many to be copied, or no
  // callback of the loop is running, so that no turn's end is near: then nothing of this socket is gathered any more,
  // and they can be written, unless `on_written` came with a rest.
  [[nodiscard]] bool write_soon(Bytes from, More more);
  [[nodiscard]] std::size_t gathered_bytes() const noexcept { return gathered_bytes_; }
  // Writes it now, with that of all others; `on_written` comes from inside this call.
  void write_gathered();
  // What was gathered will not be written.
  void drop_gathered() noexcept;
  // Of what was written, what the peer's system has not taken yet: a reset would discard it. Never grows while nothing
  // is written. UNIX sockets count it with what the system needs to keep it, and by whole pieces.
  [[nodiscard]] std::size_t untaken_bytes() const noexcept;
  // For whoever reads the descriptor otherwise: nothing is left there.
  void note_drained() noexcept { may_read_ = false; }
  // For one that listens: whether it is told, as it is at first, in each turn that finds connections in its queue.
  void tell_of_connections(bool wanted) noexcept;
  void shutdown_write() noexcept;
  void shut_down() noexcept;  // both directions
  void close() noexcept;
  // Gives the descriptor away, as `close` does otherwise.
  [[nodiscard]] int release() noexcept;
  [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }
  [[nodiscard]] bool is_watched() const noexcept { return watched_; }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  friend class Outbox;
  friend class Poller;
  friend class ReadAhead;
  void note_readable() noexcept { may_read_ = true; }
  void note_ended() noexcept { may_read_ = ended_ = true; }
  [[nodiscard]] bool may_be_read_ahead() const noexcept;
  Received note_read(const Transferred& read, MutableBytes room) noexcept;
  // Tell whoever waits, if somebody does. The socket may be gone afterwards.
  void tell_readable();
  void tell_writable();
  void stop_waiting(bool& wait) noexcept;

  Loop& loop_;
  SocketEvents* events_ = nullptr;
  int descriptor_;
  bool waits_to_read_ = false;
  bool waits_to_write_ = false;
  bool may_read_ = false;    // an edge came, and the descriptor has not been read empty since
  bool told_again_ = false;  // is about to be: asking once more changes nothing
  bool watched_ = false;
  bool ended_ = false;                // the peer's end, or an error, lies behind what can be read
  std::uint32_t gathered_bytes_ = 0;  // in the loop's outbox
  std::uint8_t much_ = 0;             // came at a time: so many times yet it has to be little, before it is read ahead
  std::uint8_t ahead_ = nothing_ahead;
};

// The error for a failed system call, with the system's own words.
[[nodiscard]] Error system_error(Errc code, int error, std::string_view what);

// TCP_NODELAY: records are written whole, so Nagle's algorithm could only delay them.
void prepare_stream(int descriptor) noexcept;

}  // namespace fairlead::io

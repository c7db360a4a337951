// SPDX-License-Identifier: Apache-2.0
// A non-blocking stream socket: read and written directly, waited for through the loop.
#pragma once

#include "io/endpoint.h"
#include "io/loop.h"

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

 protected:
  ~SocketEvents() = default;
};

// What a read or write came to.
enum class Transfer : std::uint8_t { some, would_block, ended, failed };
struct Transferred {
  Transfer what;
  std::size_t bytes = 0;
  int error = 0;  // errno of `failed`
};

// Whether more is written at once, or the end of the direction, so that the system may wait for it.
enum class More : std::uint8_t { nothing, follows };

// Owns a file descriptor. After destruction or `close` no event comes any more, whatever was waited for. The loop
// outlives it.
class Socket {
 public:
  // Takes over a non-blocking descriptor.
  Socket(Loop& loop, int descriptor);
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket();

  void set_events(SocketEvents* events) noexcept { events_ = events; }
  void wait_readable();
  void wait_writable();

  [[nodiscard]] Transferred read(MutableBytes into) noexcept;
  [[nodiscard]] Transferred write(Bytes from, More more = More::nothing) noexcept;
  // For whoever reads the descriptor otherwise: nothing is left there.
  void note_drained() noexcept { may_read_ = false; }
  void shutdown_write() noexcept;
  void close() noexcept;
  // Gives the descriptor away, as `close` does otherwise.
  [[nodiscard]] int release() noexcept;
  [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  friend class Poller;
  void note_readable() noexcept { may_read_ = true; }
  void note_ended() noexcept { may_read_ = ended_ = true; }
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
  bool ended_ = false;       // the peer's end, or an error, lies behind what can be read
};

// The error for a failed system call, with the system's own words.
[[nodiscard]] Error system_error(Errc code, int error, std::string_view what);

// TCP_NODELAY: records are written whole, so Nagle's algorithm could only delay them.
void prepare_stream(int descriptor) noexcept;

}  // namespace fairlead::io

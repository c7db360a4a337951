// SPDX-License-Identifier: Apache-2.0
// A non-blocking stream socket: read and written directly, waited for through the loop.
#pragma once

#include "io/endpoint.h"
#include "io/loop.h"

#include <fairlead/bytes.h>
#include <fairlead/error.h>

#include <cstddef>
#include <memory>
#include <span>

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

// Owns a file descriptor. After destruction or `close` no event comes any more, whatever was waited for.
class Socket {
 public:
  Socket() noexcept;
  // Takes over a non-blocking descriptor.
  Socket(Loop& loop, int descriptor);
  Socket(Socket&&) noexcept;
  Socket& operator=(Socket&&) noexcept;
  ~Socket();

  void set_events(SocketEvents* events) noexcept;
  void wait_readable();
  void wait_writable();

  [[nodiscard]] Transferred read(MutableBytes into) noexcept;
  [[nodiscard]] Transferred write(Bytes from) noexcept;
  void shutdown_write() noexcept;
  void close() noexcept;
  [[nodiscard]] bool is_open() const noexcept;
  [[nodiscard]] int descriptor() const noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// The error for a failed system call, with the system's own words.
[[nodiscard]] Error system_error(Errc code, int error, std::string_view what);

// TCP_NODELAY: records are written whole, so Nagle's algorithm could only delay them.
void prepare_stream(int descriptor) noexcept;

}  // namespace fairlead::io

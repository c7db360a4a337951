// SPDX-License-Identifier: Apache-2.0
// TLS without I/O: ciphertext in, plaintext out, and the reverse. One interface for every engine.
#pragma once

#include <fairlead/bytes.h>
#include <fairlead/error.h>
#include <fairlead/tls_info.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>

namespace fairlead::tls {

// ── How another engine takes over the record layer ──────────────────────────────────────────────────────────────────
// (…to be written by the author of the OpenSSL engine: who owns traffic secrets and sequence numbers at the moment of
// HandshakeDone, that received-but-unread ciphertext is available, that output() is drained before…)

// Buffers that one loop lends to all of its engines, so that an idle connection holds none. Whoever calls an engine
// drains `next_event` and `output` before it calls another engine of the same loop.
struct Scratch;  // scratch.h: plain: 16 KiB + slack for one record; cipher: grows to the records of one turn

struct HandshakeDone {};                   // `info()` is complete from now on
struct Plaintext { MutableBytes bytes; };  // in the scratch: valid until the next call
struct PeerClosed {};                      // close_notify: the peer sends no more (RFC 8446 6.1)
struct Failed { Error error; };            // an alert for the peer may be in the output
using Event = std::variant<HandshakeDone, Plaintext, PeerClosed, Failed>;

class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  // Ciphertext from the stream. The bytes must stay until `retain` or until next_event() is empty.
  virtual void receive(Bytes ciphertext) = 0;
  [[nodiscard]] virtual std::optional<Event> next_event() = 0;
  // Copies ciphertext that has not been read yet (the caller pauses), so that the caller's buffer may be reused.
  virtual void retain() = 0;
  // The stream ended below. Before close_notify that is a truncation: next_event() gives Failed{unexpected_eof}.
  virtual void receive_end() = 0;

  // Seals plaintext into records (of at most 16 KiB each) in the output. Only after HandshakeDone.
  virtual void seal(Bytes plaintext) = 0;
  // Puts close_notify into the output; nothing can be sealed afterwards.
  virtual void close() = 0;

  // Ciphertext to send: a view into the scratch, empty when there is nothing.
  [[nodiscard]] virtual Bytes output() const = 0;
  virtual void consume(std::size_t bytes) = 0;

  [[nodiscard]] virtual TlsInfo info() const = 0;
};

}  // namespace fairlead::tls

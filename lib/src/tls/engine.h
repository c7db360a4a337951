// SPDX-License-Identifier: Apache-2.0
// TLS without I/O: ciphertext in, plaintext out, and the reverse. One interface for every engine.
#pragma once

#include <fairlead/bytes.h>
#include <fairlead/certificate.h>
#include <fairlead/error.h>
#include <fairlead/tls_info.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

namespace fairlead::tls {

// ── How the record layer is taken over ──────────────────────────────────────────────────────────────────────────────
// The moment is the event HandshakeDone of a TLS 1.3 connection (TLS 1.2 stays where it is: another key schedule, and
// no KeyUpdate). RecordEngine forwards all verbs to the OpenSSL engine until that event, then owns the stream.
//
//   Secrets     OpenSSL has no getter for client_application_traffic_secret_0 and its twin, but derives them with our
//               key schedule (key_schedule.h), which overhears them. Everything else follows from them (RFC 8446 7.2,
//               7.3).
//   Reading     The handshake reads without read-ahead, exactly record by record, and stops behind the peer's Finished:
//               all ciphertext that follows is still in the span that was given to `receive` (or retained). The
//               sequence number for the peer's direction is 0.
//   Writing     A server's own direction starts at the number of records that the last step of the handshake put into
//               the output: tickets are sent in that step, behind the client's Finished, under the application secret.
//               A client's own direction starts at 0.
//   Output      Drained as always: the handshake's last flight leaves before anything that the new layer seals.
//   Tickets     A client that wants to resume needs OpenSSL to read its ticket, which comes in an application record:
//               until then OpenSSL gets one whole record at a time, and both directions are counted. A client whose
//               keys change meanwhile stays with OpenSSL for good, since only the first secrets are known.
//   Lifetime    What `info()` and `presented_chain()` say is kept; the OpenSSL engine goes, with its memory.

// Buffers that one loop lends to all of its engines, so that an idle connection holds none. Whoever calls an engine
// drains `next_event` (or calls `retain`) and `output` before it calls another engine of the same loop.
struct Scratch;  // scratch.h

struct HandshakeDone {};  // `info()` is complete from now on
struct Plaintext {
  MutableBytes bytes;
};  // of one or several records, in the scratch: valid until the next call
struct PeerClosed {};  // close_notify: the peer sends no more (RFC 8446 6.1); we still may
struct Failed {
  Error error;
};  // an alert for the peer may be in the output; nothing happens any more
using Event = std::variant<HandshakeDone, Plaintext, PeerClosed, Failed>;

class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  // Ciphertext from the stream. The bytes must stay until `retain` or until next_event() is empty.
  virtual void receive(Bytes ciphertext) = 0;
  // Call until empty. A client's first call, before anything was received, puts the ClientHello into the output.
  [[nodiscard]] virtual std::optional<Event> next_event() = 0;
  // Copies ciphertext that has not been read yet (the caller pauses), so that the caller's buffer may be reused. Later
  // calls of next_event() go on from the copy.
  virtual void retain() = 0;
  // The stream ended below. Before close_notify that is a truncation: next_event() gives Failed{unexpected_eof}.
  virtual void receive_end() = 0;

  // How many handshake messages (KeyUpdate, tickets) and alerts the peer may send per second once the handshake is
  // done (and empty records, in our layer), with a burst of twice as many: an engine handles them without a word to
  // anybody else. Past it:
  // Failed{tls_message_rate_exceeded}, with close_notify in the output. Before it is called the default of Limits
  // holds.
  virtual void limit_messages(std::size_t per_second) = 0;

  // Seals plaintext into records (of at most 16 KiB each) in the output. Only after HandshakeDone and before `close`.
  // After Failed it does nothing.
  virtual void seal(Bytes plaintext) = 0;
  // Will be asked to seal in a moment: its memory may be fetched. Changes nothing.
  virtual void warm() const noexcept {}
  // Puts close_notify into the output; nothing can be sealed afterwards. Nothing before HandshakeDone.
  virtual void close() = 0;

  // Ciphertext to send: a view into the scratch, empty when there is nothing. Whatever the socket does not take is
  // copied and kept by the caller, who then consumes all.
  [[nodiscard]] virtual Bytes output() const = 0;
  virtual void consume(std::size_t bytes) = 0;

  // About what it has of memory, in bytes. It changes with HandshakeDone.
  [[nodiscard]] virtual std::size_t held_bytes() const noexcept = 0;

  // Built when asked: keep it, rather than asking per message. Only after HandshakeDone.
  [[nodiscard]] virtual TlsInfo info() const = 0;
  // The certificates as the peer sent them, VERIFIED OR NOT, its own first: to be shown, never to decide by. Empty when
  // it sent none, or the session was resumed. Only after HandshakeDone.
  [[nodiscard]] virtual std::vector<CertificateDetails> presented_chain() const = 0;
};

}  // namespace fairlead::tls

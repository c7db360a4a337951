// SPDX-License-Identifier: Apache-2.0
// The server's side of HTTP/1.1 without I/O: bytes in, requests out.
#pragma once

#include "base/buffer.h"

#include <fairlead/bytes.h>
#include <fairlead/error.h>
#include <fairlead/http.h>
#include <fairlead/limits.h>
#include <fairlead/time.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <variant>

namespace fairlead::http1 {

// A whole request, body included. Nothing more is read until `start_next`: answer it first. Bytes behind it stay in
// `leftover` (after an upgrade they belong to the WebSocket).
struct RequestEvent {
  Request request;
};
// The client waits for permission to send the body (RFC 9110 10.1.1): send `continue_response`.
struct ContinueEvent {};
// The client ended the stream, or let the idle time pass, between requests: close without an answer.
struct IdleEndEvent {};
// A rule was broken, a limit or a deadline passed: answer `error_response(error)`, then close. Nothing follows.
struct RequestFailedEvent {
  Error error;
};
using RequestReaderEvent = std::variant<RequestEvent, ContinueEvent, IdleEndEvent, RequestFailedEvent>;

inline constexpr std::string_view continue_response = "HTTP/1.1 100 Continue\r\n\r\n";

// Reads one request after the other. Each byte of a head is looked at once while it arrives, and handed to the parser
// once, when the head is whole: feeding byte by byte costs the same as feeding it all. Stricter than a proxy needs to
// be, because two readers that differ are how requests are smuggled (RFC 9112 11.2): bare CR or LF, NUL, folded lines,
// a space before a colon, a repeated Content-Length, Content-Length beside Transfer-Encoding are all refused.
//
// The whole head must come within Limits::http_head_time (counted from the start for the first request, from its first
// byte for later ones), a body within the same time again and what the bytes of
// it that have come take at Limits::http_body_bytes_per_second; between requests Limits::http_idle_time may pass.
// `limits` outlives the reader. Not thread-safe.
class RequestReader {
 public:
  RequestReader(const Limits& limits, TimePoint now);
  // Storage comes from the loop's pool, which outlives the reader.
  RequestReader(const Limits& limits, BufferPool& pool, TimePoint now);
  RequestReader(RequestReader&&) noexcept;
  RequestReader& operator=(RequestReader&&) noexcept;
  ~RequestReader();

  // Instead of Limits::http_body_bytes: asked once for each request that has a body, when its head is whole.
  void limit_bodies(std::function<std::size_t(const Request&)> limit_bytes);

  // Copies the bytes. While a request waits for its answer the caller should stop reading: what comes is only kept.
  void receive(Bytes in, TimePoint now);
  // The stream ended below.
  void receive_end();
  [[nodiscard]] std::optional<RequestReaderEvent> next_event();
  // The answer to the last request has been written; read the next one (bytes of it may be here already).
  void start_next(TimePoint now);

  [[nodiscard]] std::optional<TimePoint> deadline() const;
  void on_deadline(TimePoint now);

  // Of a body that has not come whole.
  [[nodiscard]] std::size_t body_bytes() const noexcept;
  // What came behind the request that was delivered; `take_leftover` hands it over, and the reader is done.
  [[nodiscard]] Bytes leftover() const;
  [[nodiscard]] Buffer take_leftover();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fairlead::http1

// SPDX-License-Identifier: Apache-2.0
// The client's side of HTTP/1.1 without I/O: bytes in, one response out.
#pragma once

#include "base/buffer.h"

#include <fairlead/bytes.h>
#include <fairlead/error.h>
#include <fairlead/http.h>
#include <fairlead/limits.h>
#include <fairlead/time.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>

namespace fairlead::http1 {

// The final response. Interim ones (100–199 but 101) are passed over.
struct ResponseEvent {
  Response response;
  HttpVersion version = HttpVersion::http_1_1;
  bool keep_alive = false;  // the connection may carry another request
};
struct ResponseFailedEvent {
  Error error;
};
using ResponseReaderEvent = std::variant<ResponseEvent, ResponseFailedEvent>;

// Reads one response by the same strict rules and limits as RequestReader. Bytes behind a 101 belong to the WebSocket.
// `limits` outlives the reader. Not thread-safe.
class ResponseReader {
 public:
  enum class Body : std::uint8_t {
    read,  // up to Limits::http_body_bytes
    skip,  // the event comes with the head (an opening handshake, the answer to HEAD); the body stays in `leftover`
  };
  // The whole response must be here by `deadline`; on_deadline then gives http_timeout.
  ResponseReader(const Limits& limits, Body body, TimePoint deadline);
  ResponseReader(ResponseReader&&) noexcept;
  ResponseReader& operator=(ResponseReader&&) noexcept;
  ~ResponseReader();

  void receive(Bytes in, TimePoint now);
  void receive_end();  // ends a body without a length; else unexpected_eof
  [[nodiscard]] std::optional<ResponseReaderEvent> next_event();

  [[nodiscard]] std::optional<TimePoint> deadline() const;
  void on_deadline(TimePoint now);

  [[nodiscard]] Bytes leftover() const;
  [[nodiscard]] Buffer take_leftover();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fairlead::http1

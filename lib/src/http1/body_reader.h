// SPDX-License-Identifier: Apache-2.0
// Where a body ends (RFC 9112 6.3), and reading it: by length, in chunks, or to the end of the stream.
#pragma once

#include <fairlead/bytes.h>
#include <fairlead/error.h>
#include <fairlead/http.h>
#include <fairlead/limits.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace fairlead::http1 {

struct Framing {
  enum class Kind : std::uint8_t { none, length, chunked, until_end };
  Kind kind = Kind::none;
  std::uint64_t length_bytes = 0;
};
// http_malformed for whatever two readers could understand differently: Content-Length twice (even the same), not a
// plain number, or beside Transfer-Encoding; a coding other than one "chunked"; any coding in HTTP/1.0.
[[nodiscard]] Result<Framing> request_framing(const Headers& headers, HttpVersion version);
[[nodiscard]] Result<Framing> response_framing(int status, const Headers& headers, HttpVersion version);

// Collects a body up to Limits::http_body_bytes. What surrounds the data of chunks is read strictly and dropped:
// extensions and trailer fields together may have Limits::http_head_bytes.
class BodyReader {
 public:
  // http_body_too_large when the declared length passes the limit already.
  [[nodiscard]] static Result<BodyReader> start(const Framing& framing, const Limits& limits);

  // Takes what belongs to the body and says how much that was. Errors: http_malformed, http_body_too_large.
  [[nodiscard]] Result<std::size_t> receive(Bytes in);
  [[nodiscard]] bool done() const noexcept { return place_ == Place::done; }
  // The stream ended: a body until the end is done by that, any other is not.
  void receive_end() noexcept;
  [[nodiscard]] std::string take() noexcept { return std::move(body_); }

 private:
  enum class Place : std::uint8_t {
    length,     // remaining_ bytes to come
    until_end,  // everything to come
    size_first,
    size,
    extension,
    size_line_feed,
    data,  // remaining_ bytes of the chunk to come
    data_return,
    data_line_feed,
    trailer_begin,
    trailer,
    trailer_line_feed,
    last_line_feed,
    done,
  };
  BodyReader(const Framing& framing, const Limits& limits) noexcept;

  [[nodiscard]] Result<std::size_t> take_data(std::string_view in);
  [[nodiscard]] Result<void> step(char c);
  [[nodiscard]] Result<void> read_size(char c);
  [[nodiscard]] Result<void> skip_text(char c, Place after_return);
  [[nodiscard]] Result<void> expect(char c, char wanted, Place next);
  void end_size_line() noexcept;

  Place place_ = Place::done;
  std::size_t limit_bytes_;
  std::size_t overhead_left_;
  std::uint64_t remaining_;
  int digits_ = 0;
  std::string body_;
};

}  // namespace fairlead::http1

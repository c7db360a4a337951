// SPDX-License-Identifier: Apache-2.0
// Finds the end of an HTTP/1.1 head while it arrives, and refuses at the first byte what no strict reader accepts.
#pragma once

#include <fairlead/bytes.h>
#include <fairlead/error.h>
#include <fairlead/limits.h>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace fairlead::http1 {

// Each byte is looked at once (CVE-2023-43669: a partial head that is parsed again and again costs quadratic time), and
// the outcome does not depend on how the bytes were split.
class HeadScanner {
 public:
  explicit HeadScanner(const Limits& limits) noexcept
      : limit_bytes_(limits.http_head_bytes), limit_fields_(limits.http_header_count) {}

  // Where the head lies in the buffer: without empty lines before it, with the empty line that ends it.
  struct Extent {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  // Goes on where it stopped; `buffered` always begins at the same byte. nullopt: more bytes are needed. Errors:
  // http_malformed, http_head_too_large, http_too_many_headers.
  [[nodiscard]] Result<std::optional<Extent>> scan(Bytes buffered);

 private:
  enum class Place : std::uint8_t { line_begin, start_line, field_name, field_value, carriage_return };

  [[nodiscard]] Result<bool> step(char c);  // true: the head is complete
  [[nodiscard]] Result<void> begin_line(char c);
  [[nodiscard]] Result<bool> end_line(char c);

  std::size_t limit_bytes_;
  std::size_t limit_fields_;
  std::size_t scanned_ = 0;
  std::size_t begin_ = 0;
  std::size_t fields_ = 0;
  bool in_head_ = false;     // the start line has begun
  bool empty_line_ = false;  // nothing stood before the carriage return
  Place place_ = Place::line_begin;
};

}  // namespace fairlead::http1

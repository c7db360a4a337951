// SPDX-License-Identifier: Apache-2.0
// What a request wants of a file that the client may know already, or wants a part of (RFC 9110 13, 14).
#pragma once

#include <fairlead/http.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead::http1 {

struct FileFacts {
  std::uint64_t size_bytes = 0;
  std::chrono::sys_seconds modified;  // HTTP's dates know no fractions
  std::string etag;                   // strong, with its quotes
};

// 200 or 206 with the part to send; 304, 412 and 416 without.
struct FileAnswer {
  int status = 200;
  std::uint64_t offset = 0;
  std::uint64_t length_bytes = 0;
};
// For GET and HEAD. One range of bytes is honoured, for GET; several, and whatever is malformed, are ignored as
// RFC 9110 14.2 lets a server do, so the whole file is sent.
[[nodiscard]] FileAnswer evaluate_conditions(const Request& request, const FileFacts& facts);

// Content-Range for a 206 ("bytes 0-9/100") or a 416 ("bytes */100").
[[nodiscard]] std::string content_range(const FileAnswer& answer, const FileFacts& facts);

// From the name's ending; "application/octet-stream" when it is unknown. Text carries charset=utf-8.
[[nodiscard]] std::string_view media_type(std::string_view file_name) noexcept;

}  // namespace fairlead::http1

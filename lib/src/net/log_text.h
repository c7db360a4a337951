// SPDX-License-Identifier: Apache-2.0
// Text of others in log lines: what a peer or an exception says can neither end a line nor fill the log.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace fairlead::net {

// Of a text of others, at most this is in a log line.
inline constexpr std::size_t logged_text_bytes = 200;

// Appends the beginning of `text`, whole characters, with control characters as \xNN.
inline void append_logged(std::string& line, std::string_view text) {
  std::size_t size = std::min(text.size(), logged_text_bytes);
  const auto is_inside_character = [&](std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
  };
  for (int back = 0; back < 3 && size > 0 && is_inside_character(size); ++back) --size;
  for (const char one : text.substr(0, size)) {
    const auto byte = static_cast<unsigned char>(one);
    if (byte >= 0x20U && byte != 0x7FU) {
      line += one;
      continue;
    }
    constexpr std::string_view digits = "0123456789abcdef";
    line.append("\\x").append(1, digits[byte >> 4U]).append(1, digits[byte & 0x0FU]);
  }
}

}  // namespace fairlead::net

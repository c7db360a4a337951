// SPDX-License-Identifier: Apache-2.0
// UTF-8 of what clients and backends send: JSON is UTF-8 (RFC 8259 8.1), and so must be what a text frame carries.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fairlead::server {

[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

// The bytes of the valid character that `text` begins with (1 to 4), or 0 when it begins with none.
[[nodiscard]] std::size_t character_length(std::string_view text) noexcept;

// The text with U+FFFD in place of each byte that belongs to no character.
[[nodiscard]] std::string repaired_utf8(std::string_view text);

// True for the second and later bytes of a character.
[[nodiscard]] constexpr bool is_continuation(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

}  // namespace fairlead::server

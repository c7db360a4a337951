// SPDX-License-Identifier: Apache-2.0
// UTF-8 (RFC 3629) checked while it arrives: text messages and close reasons must be valid (RFC 6455 8.1), and a
// connection fails at the first byte that cannot be, not at the end of the message.
#pragma once

#include <fairlead/bytes.h>

#include <cstdint>

namespace fairlead::text {

// Fed with the pieces of one text, however they are split. Three bytes of state.
class Utf8Validator {
 public:
  // False at the first byte that cannot continue valid UTF-8; then the validator is of no more use until `reset`.
  [[nodiscard]] bool feed(Bytes piece) noexcept;
  // True when the text so far does not end inside a character.
  [[nodiscard]] bool complete() const noexcept { return missing_ == 0; }
  void reset() noexcept { *this = Utf8Validator(); }

 private:
  bool begin(std::uint8_t lead) noexcept;

  std::uint8_t missing_ = 0;    // continuation bytes that the current character still needs
  std::uint8_t lowest_ = 0x80;  // what the next one may be
  std::uint8_t highest_ = 0xBF;
};

// A whole text at once.
[[nodiscard]] bool is_utf8(Bytes text) noexcept;

}  // namespace fairlead::text

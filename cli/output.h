// SPDX-License-Identifier: Apache-2.0
// Incoming messages on standard output: for a person, for a program that reads lines, or as the bytes that they are.
#pragma once

#include <fairlead/connection.h>

#include <string>
#include <string_view>

namespace fairlead::cli {

// Writing blocks while the reader of a pipe is slow. That is meant: then nothing more is received either, and the
// sender is slowed down in turn, so memory stays flat.
class Output {
 public:
  // `raw`: bytes of all messages as they are, nothing between them. Else a text message is a line, a binary one a line
  // of hexadecimal digits.
  Output(int descriptor, bool raw, bool terminal, bool colour)
      : descriptor_(descriptor), raw_(raw), terminal_(terminal), colour_(colour) {}

  // False when the output cannot be written any more.
  [[nodiscard]] bool write(const Chunk& chunk);

 private:
  [[nodiscard]] std::string render(const Chunk& chunk);
  [[nodiscard]] std::string render_text(std::string_view text);

  int descriptor_;
  bool raw_;
  bool terminal_;
  bool colour_;
  std::string divided_;  // the first bytes of a character that a chunk ends in (terminal only)
};

}  // namespace fairlead::cli

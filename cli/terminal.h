// SPDX-License-Identifier: Apache-2.0
// Colour where a person reads, plain text where a program does; and text of a peer made harmless for a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead::cli {

enum class Style : std::uint8_t { plain, bold, dim, red, green, yellow, cyan };

// Whether to colour what goes to this descriptor: a terminal, TERM is not "dumb", NO_COLOR is unset or empty.
[[nodiscard]] bool wants_colour(int descriptor);

// `text` in a style, or as it is when `colour` is false.
[[nodiscard]] std::string styled(std::string_view text, Style style, bool colour);

// A peer's text with control characters (escape sequences that could repaint the screen or answer in our name) made
// visible. Newline and tab stay. `text` is UTF-8.
[[nodiscard]] std::string harmless(std::string_view text);

// Writes everything or answers false, with errno set. Retries after signals, waits for slow readers.
[[nodiscard]] bool write_all(int descriptor, std::string_view bytes);
// Writes to standard output, or complains and answers false: nobody reads it, or the disk is full.
[[nodiscard]] bool print_text(std::string_view text);

// One line on stderr, "fairlead: …", red on a terminal.
void complain(std::string_view line);

// Whoever starts the program without standard input, output or error leaves their numbers to the first files that it
// opens: a socket would be read as input, or an error message written into a key. Call it before anything else; the
// missing ones then exist and fail when they are used.
[[nodiscard]] bool open_missing_streams();

}  // namespace fairlead::cli

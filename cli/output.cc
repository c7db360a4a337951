// SPDX-License-Identifier: Apache-2.0
#include "output.h"

#include <utility>

#include "line_splitter.h"
#include "terminal.h"

namespace fairlead::cli {
namespace {

std::string hexadecimal(std::string_view bytes) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4U];
    out += digits[byte & 0x0fU];
  }
  return out;
}

}  // namespace

bool Output::write(const Chunk& chunk) {
  if (raw_) return write_all(descriptor_, chunk.payload);
  std::string text = render(chunk);
  if (chunk.last) text += '\n';
  return text.empty() || write_all(descriptor_, text);
}

std::string Output::render(const Chunk& chunk) {
  if (chunk.kind == MessageKind::binary) return styled(hexadecimal(chunk.payload), Style::dim, colour_);
  return terminal_ ? render_text(chunk.payload) : chunk.payload;
}

// A character that is divided between chunks is put together first, else its halves could hide a control character.
std::string Output::render_text(std::string_view text) {
  std::string whole = std::exchange(divided_, {});
  whole += text;
  const std::size_t cut = cut_between_characters(whole);
  divided_ = whole.substr(cut);
  whole.resize(cut);
  return whole.empty() ? whole : styled(harmless(whole), Style::cyan, colour_);
}

}  // namespace fairlead::cli

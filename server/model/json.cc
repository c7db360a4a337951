// SPDX-License-Identifier: Apache-2.0
#include "model/json.h"

#include "model/json_cursor.h"
#include "model/utf8.h"

#include <algorithm>

namespace fairlead::server {

bool is_json(std::string_view text, std::size_t depth) noexcept {
  JsonCursor cursor(text, depth);
  return is_utf8(text) && cursor.skip() && cursor.at_end();
}

std::optional<std::string> compact_json(std::string text, std::size_t depth) {
  if (!is_json(text, depth)) return std::nullopt;
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r'; });
  return text;
}

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
#include "stream_position.h"

#include <charconv>

namespace fairlead::cli {

std::optional<Position> parse_position(std::string_view text) {
  Position position;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, position.offset);
  if (error != std::errc{} || rest == end || *rest != ',' || rest + 1 == end) return std::nullopt;
  position.epoch.assign(rest + 1, end);
  return position;
}

}  // namespace fairlead::cli

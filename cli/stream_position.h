// SPDX-License-Identifier: Apache-2.0
// A place in a channel's history as it is typed: OFFSET,EPOCH.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::cli {

struct Position {
  std::uint64_t offset = 0;
  std::string epoch;
};
[[nodiscard]] std::optional<Position> parse_position(std::string_view text);

}  // namespace fairlead::cli

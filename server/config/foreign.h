// SPDX-License-Identifier: Apache-2.0
// Keys that configurations of other servers of this protocol have and this one does not.
#pragma once

#include "config/value.h"

#include <optional>
#include <string>
#include <string_view>

namespace fairlead::server::config {

enum class ForeignUse : std::uint8_t { harmless, refused };
struct Foreign {
  ForeignUse use = ForeignUse::harmless;
  std::string sentence;  // why, or what to write instead
};

// What is known of `path` (list indices left out), or nothing. A section that is switched off is harmless.
[[nodiscard]] std::optional<Foreign> foreign(std::string_view path, const Value& value);

}  // namespace fairlead::server::config

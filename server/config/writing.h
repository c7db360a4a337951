// SPDX-License-Identifier: Apache-2.0
// Values as text.
#pragma once

#include "config/value.h"

#include <string>
#include <string_view>

namespace fairlead::server::config {

[[nodiscard]] std::string toml_text(const Value& value);  // on one line; tables are inline ones
[[nodiscard]] std::string toml_key(std::string_view name);
[[nodiscard]] std::string json_text(const Value& value, std::size_t indent = 0);

}  // namespace fairlead::server::config

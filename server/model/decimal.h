// SPDX-License-Identifier: Apache-2.0
// Decimal numbers of any length, compared exactly: prices and identifiers do not survive a double.
#pragma once

#include <compare>
#include <optional>
#include <string_view>

namespace fairlead::server {

// [+-] digits [. digits] [e [+-] digits], with a digit before or after the point. Nothing when one of them is none, or
// has an exponent beyond ±999,999,999.
[[nodiscard]] std::optional<std::strong_ordering> compare_decimals(std::string_view left, std::string_view right);

}  // namespace fairlead::server

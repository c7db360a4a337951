// SPDX-License-Identifier: Apache-2.0
// Dates as HTTP writes them (RFC 9110 5.6.7).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::http1 {

// "Sun, 06 Nov 1994 08:49:37 GMT", for years 0–9999. Seconds, because a time_point of the system clock ends in 2262.
[[nodiscard]] std::string format_http_date(std::chrono::sys_seconds time);

// The form above, and the two obsolete ones that a recipient must accept: "Sunday, 06-Nov-94 08:49:37 GMT" and
// "Sun Nov  6 08:49:37 1994". The name of the day is not compared with the date.
[[nodiscard]] std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text);

}  // namespace fairlead::http1

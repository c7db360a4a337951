// SPDX-License-Identifier: Apache-2.0
// How people write durations ("1m30s") and sizes ("64KiB").
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::server::config {

// Hours, minutes, seconds, milliseconds, each at most once and in this order: "720h", "1m30s", "500ms", "1.5s". "0".
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
[[nodiscard]] std::string duration_text(std::chrono::milliseconds duration);

// "65536", "64KiB", "1MiB", "2GiB"; "64K", "1M", "2G" mean the same.
[[nodiscard]] std::optional<std::size_t> parse_bytes(std::string_view text);
[[nodiscard]] std::string bytes_text(std::size_t bytes);

}  // namespace fairlead::server::config

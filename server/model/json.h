// SPDX-License-Identifier: Apache-2.0
// Payloads of applications are JSON or they are not, and that is decided once, when they come in: what is valid JSON
// is put into messages as it stands, without being built up and written out again.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::server {

inline constexpr std::size_t json_depth_limit = 64;

// True when `text` is one JSON value (RFC 8259), UTF-8, nested at most `depth` deep, with or without space around it.
[[nodiscard]] bool is_json(std::string_view text, std::size_t depth = json_depth_limit) noexcept;

// The same value without raw line breaks, which separate messages of the client protocol (between tokens they mean
// nothing, inside strings they cannot be); nothing when `text` is not JSON. What a Publication with `json` may carry.
[[nodiscard]] std::optional<std::string> compact_json(std::string text, std::size_t depth = json_depth_limit);

}  // namespace fairlead::server

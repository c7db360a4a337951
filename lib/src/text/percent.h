// SPDX-License-Identifier: Apache-2.0
// Percent-encoding (RFC 3986 2.1) of paths and queries that a peer sent.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fairlead::text {

// nullopt when a '%' is not followed by two hexadecimal digits.
[[nodiscard]] std::optional<std::string> decode_percent(std::string_view text);

// A path for routing and for files: every segment decoded, then "." and ".." removed, never above the root
// (RFC 3986 5.2.4). nullopt when it does not begin with '/', is malformed, or means two things at once: an encoded
// slash or backslash, a control character.
[[nodiscard]] std::optional<std::string> decode_path(std::string_view path);

// The first parameter of that name of a query in the form that browsers send (application/x-www-form-urlencoded).
[[nodiscard]] std::optional<std::string> find_query_parameter(std::string_view query, std::string_view name);

}  // namespace fairlead::text

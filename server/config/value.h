// SPDX-License-Identifier: Apache-2.0
// A configuration as a tree, whatever it was written in: what TOML and JSON, the environment and flags have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace fairlead::server::config {

struct Value;
using List = std::vector<Value>;
using Table = std::map<std::string, Value, std::less<>>;

struct Value {
  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Table> data;
  std::string origin{};  // the file, "environment", "option": what a complaint about it names
  bool words = false;    // text of the environment or of an option, which may stand for a number, a list, …
};

// Where text stops being what it should be. Holds nothing of the text: it may be a secret.
struct Unreadable {
  std::string where;  // "line 3, column 7"
  std::string rule;
};

inline constexpr std::size_t text_limit_bytes = std::size_t{4} * 1024 * 1024;
inline constexpr std::size_t depth_limit = 32;

[[nodiscard]] std::expected<Value, Unreadable> read_toml(std::string_view text, const std::string& origin);
[[nodiscard]] std::expected<Value, Unreadable> read_json(std::string_view text, const std::string& origin);

}  // namespace fairlead::server::config

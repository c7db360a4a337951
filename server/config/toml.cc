// SPDX-License-Identifier: Apache-2.0
// The only place that knows the TOML library.
#include "config/value.h"

#include <fmt/format.h>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace fairlead::server::config {
namespace {

std::expected<Value, Unreadable> converted(const toml::node& node, const std::string& origin, std::size_t depth);

std::string place_of(const toml::source_region& region) {
  return fmt::format("line {}, column {}", region.begin.line, region.begin.column);
}

std::expected<Value, Unreadable> converted_list(const toml::array& array, const std::string& origin,
                                                std::size_t depth) {
  List list;
  for (const toml::node& element : array) {
    auto value = converted(element, origin, depth + 1);
    if (!value) return value;
    list.push_back(std::move(*value));
  }
  return Value{std::move(list), origin};
}

std::expected<Value, Unreadable> converted_table(const toml::table& source, const std::string& origin,
                                                 std::size_t depth) {
  Table table;
  for (const auto& [key, element] : source) {
    auto value = converted(element, origin, depth + 1);
    if (!value) return value;
    table.emplace(std::string(key.str()), std::move(*value));
  }
  return Value{std::move(table), origin};
}

std::expected<Value, Unreadable> converted(const toml::node& node, const std::string& origin, std::size_t depth) {
  if (depth > depth_limit) return std::unexpected(Unreadable{place_of(node.source()), "is nested too deep"});
  if (const auto* table = node.as_table()) return converted_table(*table, origin, depth);
  if (const auto* array = node.as_array()) return converted_list(*array, origin, depth);
  if (const auto* text = node.as_string()) return Value{text->get(), origin};
  if (const auto* number = node.as_integer()) return Value{number->get(), origin};
  if (const auto* number = node.as_floating_point()) return Value{number->get(), origin};
  if (const auto* yes = node.as_boolean()) return Value{yes->get(), origin};
  return std::unexpected(Unreadable{place_of(node.source()), "dates and times have no meaning here"});
}

}  // namespace

std::expected<Value, Unreadable> read_toml(std::string_view text, const std::string& origin) {
  if (text.size() > text_limit_bytes) return std::unexpected(Unreadable{"the end", "is too long for a configuration"});
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) return std::unexpected(Unreadable{place_of(parsed.error().source()), "this is not TOML"});
  return converted(parsed.table(), origin, 0);
}

}  // namespace fairlead::server::config

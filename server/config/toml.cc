// SPDX-License-Identifier: Apache-2.0
// The only place that knows the TOML library.
#include "config/value.h"

#include <fmt/format.h>

#include <stdexcept>

// A text such as "[~" reaches assertions of this library, which in release builds are assumptions: whatever follows is
// undefined. Here they are errors like any other.
namespace fairlead::server::config {
struct TomlBroken : std::logic_error {
  using std::logic_error::logic_error;
};
[[noreturn]] static void toml_broken() { throw TomlBroken("the reader has lost its way"); }
}  // namespace fairlead::server::config
#undef NDEBUG
#define TOML_ASSERT(condition) ((condition) ? void() : ::fairlead::server::config::toml_broken())
#define TOML_EXCEPTIONS 1
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

// TOML 1.0 has characters beyond ASCII in strings and comments alone. Anywhere else this library looks them up in
// tables that are not made for all of them, so it must not see them there.
bool has_stray_characters(std::string_view text) {
  std::string_view closing;  // of what we are in; empty: between values
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::string_view rest = text.substr(at);
    if (closing.empty()) {
      if (static_cast<unsigned char>(rest.front()) >= 0x80) return true;
      for (const std::string_view opening : {R"(""")", "'''", "\"", "'", "#"}) {
        if (!rest.starts_with(opening)) continue;
        closing = opening == "#" ? "\n" : opening;
        at += opening.size() - 1;
        break;
      }
    } else if (rest.starts_with(closing)) {
      at += closing.size() - 1;
      closing = {};
    } else if (closing.front() == '"' && rest.front() == '\\') {
      ++at;  // whatever is escaped ends nothing
    } else if (closing.size() == 1 && rest.front() == '\n') {
      closing = {};  // a string that was not ended
    }
  }
  return false;
}

}  // namespace

std::expected<Value, Unreadable> read_toml(std::string_view text, const std::string& origin) {
  if (text.size() > text_limit_bytes) return std::unexpected(Unreadable{"the end", "is too long for a configuration"});
  if (has_stray_characters(text)) {
    return std::unexpected(Unreadable{"somewhere", "only strings and comments may hold more than ASCII"});
  }
  try {
    const toml::table parsed = toml::parse(text);
    return converted(parsed, origin, 0);
  } catch (const toml::parse_error& error) {
    return std::unexpected(Unreadable{place_of(error.source()), "this is not TOML"});
  } catch (const TomlBroken&) {
    return std::unexpected(Unreadable{"somewhere", "this is not TOML"});
  }
}

}  // namespace fairlead::server::config

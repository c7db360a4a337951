// SPDX-License-Identifier: Apache-2.0
#include "config/writing.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::server::config {
namespace {

// Good for both: the escapes of JSON are escapes of TOML too.
std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (code < 0x20 || code == 0x7f) {
      result += fmt::format("\\u{:04x}", code);
    } else {
      result += c;
    }
  }
  return result + '"';
}

std::string number(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

struct Toml {
  std::string operator()(std::monostate) const { return "\"\""; }
  std::string operator()(bool yes) const { return yes ? "true" : "false"; }
  std::string operator()(std::int64_t whole) const { return fmt::format("{}", whole); }
  std::string operator()(double real) const { return number(real); }
  std::string operator()(const std::string& text) const { return in_quotes(text); }
  std::string operator()(const List& list) const {
    std::string text;
    for (const Value& one : list) text += (text.empty() ? "" : ", ") + toml_text(one);
    return "[" + text + "]";
  }
  std::string operator()(const Table& table) const {
    std::string text;
    for (const auto& [name, one] : table) text += (text.empty() ? "" : ", ") + toml_key(name) + " = " + toml_text(one);
    return table.empty() ? "{}" : "{ " + text + " }";
  }
};

struct Json {
  std::size_t indent;
  [[nodiscard]] std::string line(std::size_t more) const { return "\n" + std::string(2 * (indent + more), ' '); }

  std::string operator()(std::monostate) const { return "null"; }
  std::string operator()(bool yes) const { return yes ? "true" : "false"; }
  std::string operator()(std::int64_t whole) const { return fmt::format("{}", whole); }
  std::string operator()(double real) const { return number(real); }
  std::string operator()(const std::string& text) const { return in_quotes(text); }
  std::string operator()(const List& list) const {
    std::string text;
    for (const Value& one : list) text += (text.empty() ? "" : ",") + line(1) + json_text(one, indent + 1);
    return list.empty() ? "[]" : "[" + text + line(0) + "]";
  }
  std::string operator()(const Table& table) const {
    std::string text;
    for (const auto& [name, one] : table)
      text += (text.empty() ? "" : ",") + line(1) + in_quotes(name) + ": " + json_text(one, indent + 1);
    return table.empty() ? "{}" : "{" + text + line(0) + "}";
  }
};

}  // namespace

std::string toml_text(const Value& value) { return std::visit(Toml{}, value.data); }

std::string toml_key(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, is_bare) ? std::string(name) : in_quotes(name);
}

std::string json_text(const Value& value, std::size_t indent) { return std::visit(Json{indent}, value.data); }

}  // namespace fairlead::server::config

// SPDX-License-Identifier: Apache-2.0
#include "api/json.h"

#include "model/json.h"
#include "model/json_cursor.h"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace fairlead::server {
namespace {

JsonType type_of(std::string_view text) {
  switch (text.front()) {
    case '{':
      return JsonType::object;
    case '[':
      return JsonType::array;
    case '"':
      return JsonType::string;
    case 't':
    case 'f':
      return JsonType::boolean;
    case 'n':
      return JsonType::null;
    default:
      return JsonType::number;
  }
}

JsonCursor cursor_on(const JsonValue& value) { return {value.text, json_depth_limit}; }

template <class Whole>
std::optional<Whole> whole_number(const JsonValue& value) {
  Whole number = 0;
  if (value.type != JsonType::number || !cursor_on(value).integer(number)) return std::nullopt;
  return number;
}

}  // namespace

std::optional<JsonValue> parse_json(std::string_view text) {
  if (!is_json(text)) return std::nullopt;
  const auto value = JsonCursor(text, json_depth_limit).raw();
  if (!value) return std::nullopt;
  return json_value(*value);
}

JsonValue json_value(std::string_view text) { return {type_of(text), text}; }

std::optional<std::vector<JsonMember>> members_of(const JsonValue& object) {
  if (object.type != JsonType::object) return std::nullopt;
  std::vector<JsonMember> members;
  members.reserve(4);  // as many as most requests have
  auto cursor = cursor_on(object);
  const bool read = cursor.object([&](std::string_view name) {
    const auto value = cursor.raw();
    if (value) members.push_back({std::string(name), json_value(*value)});
    return value.has_value();
  });
  if (!read) return std::nullopt;
  return members;
}

std::optional<std::vector<JsonValue>> elements_of(const JsonValue& array) {
  if (array.type != JsonType::array) return std::nullopt;
  std::vector<JsonValue> elements;
  auto cursor = cursor_on(array);
  const bool read = cursor.array([&] {
    const auto value = cursor.raw();
    if (value) elements.push_back(json_value(*value));
    return value.has_value();
  });
  if (!read) return std::nullopt;
  return elements;
}

std::optional<std::string> string_of(const JsonValue& value) {
  std::string text;
  if (value.type != JsonType::string || !cursor_on(value).string(text)) return std::nullopt;
  return text;
}

std::optional<std::int64_t> integer_of(const JsonValue& value) { return whole_number<std::int64_t>(value); }

std::optional<std::uint64_t> unsigned_integer_of(const JsonValue& value) { return whole_number<std::uint64_t>(value); }

std::optional<double> number_of(const JsonValue& value) {
  if (value.type != JsonType::number) return std::nullopt;
  double number = 0;
  const char* const end = value.text.data() + value.text.size();
  const auto read = std::from_chars(value.text.data(), end, number);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return number;
}

std::optional<bool> boolean_of(const JsonValue& value) {
  if (value.type != JsonType::boolean) return std::nullopt;
  return value.text == "true";
}

const JsonValue* find(const std::vector<JsonMember>& members, std::string_view name) {
  const auto found = std::ranges::find(members, name, &JsonMember::name);
  return found == members.end() ? nullptr : &found->value;
}

std::string without_line_breaks(std::string_view json) {
  std::string line(json);
  if (!json.contains('\n') && !json.contains('\r')) return line;
  std::erase_if(line, [](char c) { return c == '\n' || c == '\r'; });
  return line;
}

}  // namespace fairlead::server

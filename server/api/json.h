// SPDX-License-Identifier: Apache-2.0
// Reading JSON one level at a time: a request names few fields, and what it carries for others (the payloads) stays the
// text that it was, to the digit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::server {

enum class JsonType : std::uint8_t { null, boolean, number, string, array, object };

// One value as it stands in its text, without the spaces around it. A view into that text.
struct JsonValue {
  JsonType type = JsonType::null;
  std::string_view text;
};
struct JsonMember {
  std::string name;
  JsonValue value;
};

// The whole text as one value: valid JSON in UTF-8 (model/json.h), else nothing.
[[nodiscard]] std::optional<JsonValue> parse_json(std::string_view text);

// A value of a valid text.
[[nodiscard]] JsonValue json_value(std::string_view text);
// What a value holds, itself part of a valid text. Asked of another type they answer nothing.
[[nodiscard]] std::optional<std::vector<JsonMember>> members_of(const JsonValue& object);
[[nodiscard]] std::optional<std::vector<JsonValue>> elements_of(const JsonValue& array);
[[nodiscard]] std::optional<std::string> string_of(const JsonValue& value);
// Whole numbers only; nothing when it is out of range.
[[nodiscard]] std::optional<std::int64_t> integer_of(const JsonValue& value);
[[nodiscard]] std::optional<std::uint64_t> unsigned_integer_of(const JsonValue& value);
[[nodiscard]] std::optional<double> number_of(const JsonValue& value);  // nothing when it is out of range
[[nodiscard]] std::optional<bool> boolean_of(const JsonValue& value);
// The first member of that name; null: none.
[[nodiscard]] const JsonValue* find(const std::vector<JsonMember>& members, std::string_view name);

// The same value without raw line breaks, which JSON has only between its tokens: clients take them for message ends.
[[nodiscard]] std::string without_line_breaks(std::string_view json);

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
// The only place that knows the JSON library.
#include "config/value.h"

#include <simdjson.h>

#include <limits>

namespace fairlead::server::config {
namespace {

namespace dom = simdjson::dom;

std::expected<Value, Unreadable> converted(dom::element element, const std::string& origin);

std::unexpected<Unreadable> unreadable(std::string rule) { return std::unexpected(Unreadable{"", std::move(rule)}); }

std::expected<Value, Unreadable> converted_list(dom::array array, const std::string& origin) {
  List list;
  list.reserve(array.size());
  for (const dom::element element : array) {
    auto value = converted(element, origin);
    if (!value) return value;
    list.push_back(std::move(*value));
  }
  return Value{std::move(list), origin};
}

std::expected<Value, Unreadable> converted_object(dom::object object, const std::string& origin) {
  Table table;
  for (const auto& [key, element] : object) {
    auto value = converted(element, origin);
    if (!value) return value;
    // RFC 8259 4: names should be unique. Which of two counts is nothing that anybody should have to guess.
    if (!table.emplace(std::string(key), std::move(*value)).second) return unreadable("a key is there twice");
  }
  return Value{std::move(table), origin};
}

std::expected<Value, Unreadable> converted_number(dom::element element, const std::string& origin) {
  if (element.is<std::int64_t>()) return Value{element.get_int64().value_unsafe(), origin};
  if (element.is<std::uint64_t>()) return unreadable("a number is too large");
  return Value{element.get_double().value_unsafe(), origin};
}

std::expected<Value, Unreadable> converted(dom::element element, const std::string& origin) {
  switch (element.type()) {
    case dom::element_type::OBJECT:
      return converted_object(element.get_object().value_unsafe(), origin);
    case dom::element_type::ARRAY:
      return converted_list(element.get_array().value_unsafe(), origin);
    case dom::element_type::STRING:
      return Value{std::string(element.get_string().value_unsafe()), origin};
    case dom::element_type::BOOL:
      return Value{element.get_bool().value_unsafe(), origin};
    case dom::element_type::NULL_VALUE:
      return Value{std::monostate{}, origin};
    default:
      return converted_number(element, origin);
  }
}

// The library says what is wrong, but not where.
std::string rule_of(simdjson::error_code error) {
  if (error == simdjson::DEPTH_ERROR) return "is nested too deep, or a bracket is missing";
  if (error == simdjson::UTF8_ERROR) return "is not UTF-8";
  if (error == simdjson::EMPTY) return "is empty";
  return std::string("this is not JSON: ") + simdjson::error_message(error);
}

}  // namespace

std::expected<Value, Unreadable> read_json(std::string_view text, const std::string& origin) {
  if (text.size() > text_limit_bytes) return unreadable("is too long for a configuration");
  dom::parser parser;
  if (parser.allocate(text.size() + 1, depth_limit) != simdjson::SUCCESS)
    return unreadable("there is no memory for it");
  dom::element root;
  if (const auto error = parser.parse(text.data(), text.size()).get(root)) return unreadable(rule_of(error));
  return converted(root, origin);
}

}  // namespace fairlead::server::config

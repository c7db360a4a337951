// SPDX-License-Identifier: Apache-2.0
#include <fairlead/http.h>

#include "text/tokens.h"

#include <algorithm>

namespace fairlead {
namespace {

auto named(std::string_view name) {
  return [name](const Header& field) { return text::equals_ignoring_case(field.name, name); };
}

}  // namespace

Headers::Headers(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  fields_.reserve(fields.size());
  for (const auto& [name, value] : fields) add(name, value);
}

bool Headers::add(std::string_view name, std::string_view value) {
  if (!text::is_token(name) || !text::is_field_value(value)) return false;
  fields_.push_back({std::string(name), std::string(text::trim(value))});
  return true;
}

bool Headers::set(std::string_view name, std::string_view value) {
  if (!text::is_token(name) || !text::is_field_value(value)) return false;
  // Copied first: both views may lie in a field that goes away.
  Header field{std::string(name), std::string(text::trim(value))};
  const auto first = std::ranges::find_if(fields_, named(field.name));
  if (first == fields_.end()) {
    fields_.push_back(std::move(field));
    return true;
  }
  fields_.erase(std::remove_if(first + 1, fields_.end(), named(field.name)), fields_.end());
  *first = std::move(field);
  return true;
}

std::size_t Headers::remove(std::string_view name) {
  const std::string copy(name);  // the view may lie in a field that goes away
  return std::erase_if(fields_, named(copy));
}

std::optional<std::string_view> Headers::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find_if(fields_, named(name));
  if (found == fields_.end()) return std::nullopt;
  return found->value;
}

std::vector<std::string_view> Headers::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& field : fields_) {
    if (text::equals_ignoring_case(field.name, name)) values.emplace_back(field.value);
  }
  return values;
}

std::size_t Headers::count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(fields_, named(name)));
}

}  // namespace fairlead

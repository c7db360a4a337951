// SPDX-License-Identifier: Apache-2.0
#include "text/tokens.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace fairlead::text {
namespace {

constexpr std::array<bool, 256> token_characters = [] {
  std::array<bool, 256> table{};
  for (unsigned char c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned char c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (unsigned char c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

bool is_token_character(char c) noexcept { return token_characters[static_cast<unsigned char>(c)]; }
bool is_space(char c) noexcept { return c == ' ' || c == '\t'; }
char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Reads a field value from front to back, each byte once.
class Cursor {
 public:
  explicit Cursor(std::string_view text) noexcept : rest_(text) {}

  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
  void skip_spaces() noexcept {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }
  // The character, when it comes next; spaces around it are taken too.
  bool take(char wanted) noexcept {
    skip_spaces();
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    skip_spaces();
    return true;
  }
  // Empty when there is no token here.
  std::string_view take_token() noexcept {
    const auto* end = std::ranges::find_if_not(rest_, is_token_character);
    const auto token = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(token.size());
    return token;
  }
  // RFC 9110 5.6.4. The opening quote comes next. nullopt when the closing one never does.
  std::optional<std::string> take_quoted() {
    std::string value;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return value;
      }
      if (rest_[i] == '\\' && ++i == rest_.size()) return std::nullopt;
      value += rest_[i];
    }
    return std::nullopt;
  }
  [[nodiscard]] bool quote_is_next() const noexcept { return rest_.starts_with('"'); }

 private:
  std::string_view rest_;
};

std::optional<Parameter> parse_parameter(Cursor& cursor) {
  Parameter parameter;
  parameter.name = cursor.take_token();
  if (parameter.name.empty()) return std::nullopt;
  if (!cursor.take('=')) return parameter;
  parameter.has_value = true;
  parameter.quoted = cursor.quote_is_next();
  auto value = parameter.quoted ? cursor.take_quoted() : std::optional(std::string(cursor.take_token()));
  // RFC 6455 9.1: "the value after quoted-string unescaping MUST conform to the 'token' ABNF".
  if (!value || !is_token(*value)) return std::nullopt;
  parameter.value = std::move(*value);
  return parameter;
}

std::optional<ExtensionElement> parse_element(Cursor& cursor) {
  ExtensionElement element;
  element.name = cursor.take_token();
  if (element.name.empty()) return std::nullopt;
  while (cursor.take(';')) {
    auto parameter = parse_parameter(cursor);
    if (!parameter) return std::nullopt;
    element.parameters.push_back(std::move(*parameter));
  }
  return element;
}

}  // namespace

bool is_token(std::string_view text) noexcept { return !text.empty() && std::ranges::all_of(text, is_token_character); }

bool is_field_value(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte != 0x7F) || byte == '\t';
  });
}

std::string to_lower(std::string_view text) {
  std::string lowered(text);
  std::ranges::transform(lowered, lowered.begin(), lower);
  return lowered;
}

bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept {
  return std::ranges::equal(left, right, {}, lower, lower);
}

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<std::vector<std::string_view>> parse_token_list(std::string_view value) {
  std::vector<std::string_view> tokens;
  while (!value.empty()) {
    const auto end = std::min(value.find(','), value.size());
    const auto element = trim(value.substr(0, end));
    value.remove_prefix(std::min(end + 1, value.size()));
    if (element.empty()) continue;
    if (!is_token(element)) return std::nullopt;
    tokens.push_back(element);
  }
  return tokens;
}

bool list_contains(std::string_view value, std::string_view token) noexcept {
  while (!value.empty()) {
    const auto end = std::min(value.find(','), value.size());
    if (equals_ignoring_case(trim(value.substr(0, end)), token)) return true;
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  return false;
}

std::optional<std::vector<ExtensionElement>> parse_extensions(std::string_view value) {
  std::vector<ExtensionElement> elements;
  Cursor cursor(value);
  while (true) {
    while (cursor.take(',')) {
    }  // empty elements (RFC 9110 5.6.1.2)
    if (cursor.at_end()) return elements;
    auto element = parse_element(cursor);
    if (!element) return std::nullopt;
    elements.push_back(std::move(*element));
    cursor.skip_spaces();
    if (cursor.at_end()) return elements;
    if (!cursor.take(',')) return std::nullopt;
  }
}

std::optional<unsigned long long> parse_decimal(std::string_view text) noexcept {
  unsigned long long value = 0;
  if (text.empty() || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} ? std::optional(value) : std::nullopt;
}

}  // namespace fairlead::text

// SPDX-License-Identifier: Apache-2.0
// The small grammars of HTTP field values (RFC 9110 5.6): tokens, lists, parameters. Hand-written and linear: hostile
// values cost what their length costs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::text {

// RFC 9110 5.6.2.
[[nodiscard]] bool is_token(std::string_view text) noexcept;
// A field value without CR, LF, NUL and other controls but the tab (RFC 9110 5.5); bytes above 127 may stand.
[[nodiscard]] bool is_field_value(std::string_view text) noexcept;
// ASCII only: the protocol's names know no other letters.
[[nodiscard]] std::string to_lower(std::string_view text);
[[nodiscard]] bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept;
// Without spaces and tabs on both sides.
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;

// The elements of `#token`, empty ones left out (RFC 9110 5.6.1.2); nullopt when one is not a token.
[[nodiscard]] std::optional<std::vector<std::string_view>> parse_token_list(std::string_view value);
// Whether a list of elements (upgrade tokens, connection options) holds this one, without case. Elements that are not
// tokens are passed over.
[[nodiscard]] bool list_contains(std::string_view value, std::string_view token) noexcept;

// `token *( ";" token [ "=" ( token / quoted-string ) ] )`: one element of Sec-WebSocket-Extensions (RFC 6455 9.1).
struct Parameter {
  std::string_view name;
  std::string value;  // a quoted value without its quotes and backslashes
  bool has_value = false;
  bool quoted = false;
};
struct ExtensionElement {
  std::string_view name;
  std::vector<Parameter> parameters;
};
// nullopt when any part breaks the grammar; RFC 6455 9.1 also wants an unquoted value to be a token.
[[nodiscard]] std::optional<std::vector<ExtensionElement>> parse_extensions(std::string_view value);

// Decimal digits only, no sign, no space; nullopt when empty or past the largest value.
[[nodiscard]] std::optional<unsigned long long> parse_decimal(std::string_view text) noexcept;

}  // namespace fairlead::text

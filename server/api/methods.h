// SPDX-License-Identifier: Apache-2.0
// The API's methods in one table: name, fields of the request, what runs it. A batch is not among them, it is made of
// them (api/core.h).
#pragma once

#include "api/control.h"
#include "api/fields.h"
#include "api/json.h"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::server {

// What one request may ask at once.
namespace api_limits {
inline constexpr std::size_t broadcast_channels = 10'000;
inline constexpr std::size_t batch_commands = 10'000;
inline constexpr std::size_t whitelist = 1'000;
inline constexpr std::size_t tags = 64;
inline constexpr std::size_t connections = 10'000;
inline constexpr std::size_t events = 1'000;
inline constexpr std::size_t trace_records = 1'000;
}  // namespace api_limits

// The result as JSON text.
using Replied = Answered<std::string>;

struct Method {
  std::string_view name;
  void (*list)(Fields& fields);
  // Reads `params`, an object; a broken rule is answered with 107 and its sentence.
  void (*run)(Control& control, const JsonValue& params, Replied replied);
};

[[nodiscard]] std::span<const Method> methods();
[[nodiscard]] const Method* find_method(std::string_view name);

}  // namespace fairlead::server

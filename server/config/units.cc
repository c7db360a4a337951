// SPDX-License-Identifier: Apache-2.0
#include "config/units.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

namespace fairlead::server::config {
namespace {

using std::chrono::milliseconds;
struct Unit {
  std::string_view name;
  double milliseconds;
};
// "m" stands after "ms", which begins with it.
constexpr std::array<Unit, 4> units{{{"h", 3'600'000}, {"ms", 1}, {"m", 60'000}, {"s", 1000}}};
constexpr double longest_milliseconds = 100.0 * 366 * 24 * 3'600'000;  // a century: more is a slip of the finger

std::optional<double> take_number(std::string_view& text) {
  const std::size_t length = text.find_first_not_of("0123456789.");
  const std::string_view digits = text.substr(0, length);
  double number = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  text.remove_prefix(digits.size());
  return number;
}

const Unit* take_unit(std::string_view& text) {
  for (const Unit& unit : units) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return &unit;
  }
  return nullptr;
}

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
  if (text == "0") return milliseconds(0);
  if (text.empty()) return std::nullopt;
  double sum = 0;
  double previous = std::numeric_limits<double>::max();
  while (!text.empty()) {
    const auto number = take_number(text);
    const Unit* unit = number ? take_unit(text) : nullptr;
    if (unit == nullptr || unit->milliseconds >= previous) return std::nullopt;
    previous = unit->milliseconds;
    sum += *number * unit->milliseconds;
    if (!(sum <= longest_milliseconds)) return std::nullopt;
  }
  return milliseconds(std::llround(sum));
}

std::string duration_text(milliseconds duration) {
  const auto count = duration.count();
  if (count == 0) return "0s";
  if (count % 1000 != 0) return fmt::format("{}ms", count);
  const auto seconds = count / 1000;
  std::string text;
  if (seconds >= 3600) text += fmt::format("{}h", seconds / 3600);
  if (seconds % 3600 >= 60) text += fmt::format("{}m", seconds % 3600 / 60);
  if (seconds % 60 != 0) text += fmt::format("{}s", seconds % 60);
  return text;
}

std::optional<std::size_t> parse_bytes(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (unit.ends_with("iB")) unit.remove_suffix(2);
  static constexpr std::array<std::string_view, 4> powers{"", "K", "M", "G"};
  for (std::size_t power = 0; power < powers.size(); ++power) {
    if (unit != powers.at(power)) continue;
    const std::size_t factor = std::size_t{1} << (10 * power);
    if (number > std::numeric_limits<std::size_t>::max() / factor) return std::nullopt;
    return number * factor;
  }
  return std::nullopt;
}

std::string bytes_text(std::size_t bytes) {
  static constexpr std::array<std::string_view, 4> powers{"", "KiB", "MiB", "GiB"};
  std::size_t power = 0;
  for (; power + 1 < powers.size() && bytes != 0 && bytes % 1024 == 0; ++power) bytes /= 1024;
  return fmt::format("{}{}", bytes, powers.at(power));
}

}  // namespace fairlead::server::config

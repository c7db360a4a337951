// SPDX-License-Identifier: Apache-2.0
// By hand: strptime and strftime read the process's locale.
#include "http1/http_date.h"

#include "text/tokens.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace fairlead::http1 {
namespace {

using std::chrono::sys_days;
using std::chrono::sys_seconds;

constexpr std::array<const char*, 7> days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Pieces {
  std::string_view day, month, year, clock;
};

std::optional<unsigned> two_digits(std::string_view text) {
  const auto value = text.size() == 2 ? text::parse_decimal(text) : std::nullopt;
  return value ? std::optional(static_cast<unsigned>(*value)) : std::nullopt;
}

std::optional<std::chrono::seconds> parse_clock(std::string_view text) {
  if (text.size() != 8 || text[2] != ':' || text[5] != ':') return std::nullopt;
  const auto hour = two_digits(text.substr(0, 2));
  const auto minute = two_digits(text.substr(3, 2));
  const auto second = two_digits(text.substr(6, 2));
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second);
}

std::optional<int> parse_year(std::string_view text) {
  const auto value = text::parse_decimal(text);
  if (!value) return std::nullopt;
  if (text.size() == 4) return static_cast<int>(*value);
  // RFC 9110 5.6.7: two digits mean the most recent such year that is not more than 50 years in the future; servers
  // wrote this form last in the nineties, so the split at 70 is as good.
  if (text.size() == 2) return static_cast<int>(*value) + (*value < 70 ? 2000 : 1900);
  return std::nullopt;
}

// "06 Nov 1994 08:49:37 GMT" and, with dashes, "06-Nov-94 08:49:37 GMT".
std::optional<Pieces> split_with_comma(std::string_view text) {
  if (!text.ends_with(" GMT")) return std::nullopt;
  text.remove_suffix(4);
  if (text.size() == 20) return Pieces{text.substr(0, 2), text.substr(3, 3), text.substr(7, 4), text.substr(12)};
  if (text.size() == 18) return Pieces{text.substr(0, 2), text.substr(3, 3), text.substr(7, 2), text.substr(10)};
  return std::nullopt;
}

// "Sun Nov  6 08:49:37 1994".
std::optional<Pieces> split_asctime(std::string_view text) {
  if (text.size() != 24) return std::nullopt;
  return Pieces{text::trim(text.substr(8, 2)), text.substr(4, 3), text.substr(20, 4), text.substr(11, 8)};
}

}  // namespace

std::string format_http_date(sys_seconds time) {
  const auto midnight = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(midnight);
  const std::chrono::hh_mm_ss clock(time - midnight);
  std::array<char, 64> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
                    days.at(std::chrono::weekday(midnight).c_encoding()), unsigned(date.day()),
                    months.at(unsigned(date.month()) - 1), int(date.year()), static_cast<int>(clock.hours().count()),
                    static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
  return {text.data(), static_cast<std::size_t>(length)};
}

std::optional<sys_seconds> parse_http_date(std::string_view text) {
  const auto comma = text.find(", ");
  const auto pieces = comma == std::string_view::npos ? split_asctime(text) : split_with_comma(text.substr(comma + 2));
  if (!pieces) return std::nullopt;
  const auto day = text::parse_decimal(pieces->day);
  const auto* month = std::ranges::find(months, pieces->month);
  const auto year = parse_year(pieces->year);
  const auto clock = parse_clock(pieces->clock);
  if (!day || *day > 31 || month == months.end() || !year || !clock) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(month - months.begin()) + 1),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  return sys_seconds(sys_days(date) + *clock);
}

}  // namespace fairlead::http1

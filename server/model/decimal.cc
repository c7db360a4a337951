// SPDX-License-Identifier: Apache-2.0
#include "model/decimal.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace fairlead::server {

namespace {

constexpr std::int64_t largest_exponent = 999'999'999;

// 0.d1 d2 d3 … × 10^exponent. The digits lie in two views, because the point is between them; the first is not 0.
struct Decimal {
  bool negative = false;
  std::string_view whole, fraction;  // zero: both empty
  std::int64_t exponent = 0;

  [[nodiscard]] std::size_t size() const { return whole.size() + fraction.size(); }
  [[nodiscard]] char digit(std::size_t at) const {
    if (at < whole.size()) return whole[at];
    return at < size() ? fraction[at - whole.size()] : '0';
  }
  [[nodiscard]] int sign() const { return size() == 0 ? 0 : (negative ? -1 : 1); }
};

std::string_view take_digits(std::string_view& text) {
  const auto end = std::ranges::find_if(text, [](char c) { return c < '0' || c > '9'; });
  const std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

bool take_any(std::string_view& text, std::string_view wanted) {
  if (text.empty() || !wanted.contains(text.front())) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::int64_t> take_exponent(std::string_view& text) {
  if (!take_any(text, "eE")) return 0;
  const bool negative = text.starts_with('-');
  take_any(text, "+-");
  const std::string_view digits = take_digits(text);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || error != std::errc() || value > largest_exponent) return std::nullopt;
  return negative ? -value : value;
}

// Leading zeros mean nothing in front of the point, and behind it they are part of the exponent.
void normalise(Decimal& number) {
  number.whole.remove_prefix(std::min(number.whole.find_first_not_of('0'), number.whole.size()));
  number.exponent += static_cast<std::int64_t>(number.whole.size());
  if (!number.whole.empty()) return;
  const std::size_t zeros = std::min(number.fraction.find_first_not_of('0'), number.fraction.size());
  number.fraction.remove_prefix(zeros);
  number.exponent -= static_cast<std::int64_t>(zeros);
}

std::optional<Decimal> parse(std::string_view text) {
  Decimal number;
  number.negative = text.starts_with('-');
  take_any(text, "+-");
  number.whole = take_digits(text);
  if (take_any(text, ".")) number.fraction = take_digits(text);
  if (number.size() == 0) return std::nullopt;
  const auto exponent = take_exponent(text);
  if (!exponent || !text.empty()) return std::nullopt;
  number.exponent = *exponent;
  normalise(number);
  return number;
}

std::strong_ordering compare_magnitudes(const Decimal& left, const Decimal& right) {
  if (left.exponent != right.exponent) return left.exponent <=> right.exponent;
  const std::size_t digits = std::max(left.size(), right.size());
  for (std::size_t at = 0; at < digits; ++at)
    if (left.digit(at) != right.digit(at)) return left.digit(at) <=> right.digit(at);
  return std::strong_ordering::equal;
}

}  // namespace

std::optional<std::strong_ordering> compare_decimals(std::string_view left_text, std::string_view right_text) {
  const auto left = parse(left_text);
  const auto right = parse(right_text);
  if (!left || !right) return std::nullopt;
  if (left->sign() != right->sign() || left->sign() == 0) return left->sign() <=> right->sign();
  return left->negative ? compare_magnitudes(*right, *left) : compare_magnitudes(*left, *right);
}

}  // namespace fairlead::server

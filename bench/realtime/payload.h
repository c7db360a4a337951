// SPDX-License-Identifier: Apache-2.0
// What is published: JSON of a given size that holds its number, so that each receiver can tell loss, order and damage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::bench {

class Payloads {
 public:
  static constexpr std::size_t least_bytes = 32;

  explicit Payloads(std::size_t bytes) : text_(begin) {
    text_.append(digits, '0').append(middle);
    while (text_.size() + end.size() < bytes) text_.push_back(static_cast<char>('a' + text_.size() % 26));
    text_.append(end);
  }

  [[nodiscard]] std::size_t size() const noexcept { return text_.size(); }

  // Valid until the next call.
  [[nodiscard]] std::string_view numbered(std::uint64_t number) noexcept {
    for (std::size_t i = digits; i-- > 0; number /= 10) text_[begin.size() + i] = static_cast<char>('0' + number % 10);
    return text_;
  }

  // The number of an undamaged payload.
  [[nodiscard]] std::optional<std::uint64_t> number_of(std::string_view payload) const noexcept {
    constexpr std::size_t rest = begin.size() + digits;
    if (payload.size() != text_.size() || std::memcmp(payload.data(), begin.data(), begin.size()) != 0 ||
        std::memcmp(payload.data() + rest, text_.data() + rest, text_.size() - rest) != 0) {
      return std::nullopt;
    }
    std::uint64_t number = 0;
    for (std::size_t i = begin.size(); i < rest; ++i) {
      if (payload[i] < '0' || payload[i] > '9') return std::nullopt;
      number = number * 10 + static_cast<std::uint64_t>(payload[i] - '0');
    }
    return number;
  }

 private:
  static constexpr std::string_view begin = R"({"n":")", middle = R"(","p":")", end = R"("})";
  static constexpr std::size_t digits = 12;
  std::string text_;
};

}  // namespace fairlead::bench

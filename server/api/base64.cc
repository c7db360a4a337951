// SPDX-License-Identifier: Apache-2.0
#include "api/base64.h"

#include <array>
#include <cstdint>

namespace fairlead::server {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 64;

constexpr std::array<std::uint8_t, 256> digits = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(no_digit);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table.at(static_cast<unsigned char>(alphabet[i])) = static_cast<std::uint8_t>(i);
  }
  return table;
}();

std::uint32_t digit(char c) { return digits.at(static_cast<unsigned char>(c)); }
std::uint32_t byte(char c) { return static_cast<unsigned char>(c); }

// The digits of one group of three bytes, of which `count` are there.
void encode_group(std::uint32_t bits, std::size_t count, std::string& text) {
  for (std::size_t i = 0; i < 4; ++i) {
    text.push_back(i <= count ? alphabet[(bits >> (18U - 6U * i)) & 63U] : '=');
  }
}

}  // namespace

std::string to_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (; bytes.size() >= 3; bytes.remove_prefix(3)) {
    encode_group(byte(bytes[0]) << 16U | byte(bytes[1]) << 8U | byte(bytes[2]), 3, text);
  }
  if (bytes.size() == 2) encode_group(byte(bytes[0]) << 16U | byte(bytes[1]) << 8U, 2, text);
  if (bytes.size() == 1) encode_group(byte(bytes[0]) << 16U, 1, text);
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : (text.ends_with('=') ? 1 : 0);
  const std::string_view written = text.substr(0, text.size() - padding);
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  std::size_t held = 0;
  for (const char c : written) {
    if (digit(c) == no_digit) return std::nullopt;
    bits = (bits << 6U | digit(c)) & 0xffffU;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes.push_back(static_cast<char>(bits >> held & 0xffU));
  }
  // RFC 4648 3.5: what the last digit holds beyond the last byte must be zero.
  if ((bits & ((1U << held) - 1U)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace fairlead::server

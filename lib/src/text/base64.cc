// SPDX-License-Identifier: Apache-2.0
#include "text/base64.h"

#include <array>
#include <cstdint>

namespace fairlead::text {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t foreign = 0xFF;

constexpr std::array<std::uint8_t, 256> values = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(foreign);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}();

std::uint32_t byte_at(Bytes bytes, std::size_t i) {
  return i < bytes.size() ? std::to_integer<std::uint32_t>(bytes[i]) : 0;
}

// Up to four characters as a number of 24 bits; nullopt for a foreign one. Missing characters count as zero.
std::optional<std::uint32_t> read_group(std::string_view characters) {
  std::uint32_t group = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint8_t value = i < characters.size() ? values[static_cast<unsigned char>(characters[i])] : 0;
    if (value == foreign) return std::nullopt;
    group = (group << 6) | value;
  }
  return group;
}

}  // namespace

std::string encode_base64(Bytes bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::uint32_t group = (byte_at(bytes, i) << 16) | (byte_at(bytes, i + 1) << 8) | byte_at(bytes, i + 2);
    text += alphabet[group >> 18];
    text += alphabet[(group >> 12) & 63];
    text += i + 1 < bytes.size() ? alphabet[(group >> 6) & 63] : '=';
    text += i + 2 < bytes.size() ? alphabet[group & 63] : '=';
  }
  return text;
}

std::optional<std::vector<std::byte>> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && text.ends_with('=')) {
    text.remove_suffix(1);
    ++padding;
  }
  std::vector<std::byte> bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const auto characters = text.substr(i, 4);
    const auto group = read_group(characters);
    if (!group) return std::nullopt;
    const std::size_t count = characters.size() - 1;
    for (std::size_t k = 0; k < count; ++k) bytes.push_back(static_cast<std::byte>((*group >> (16 - 8 * k)) & 0xFF));
    // RFC 4648 3.5: bits left over must be zero, else one value would have several texts.
    if (count < 3 && (*group & ((1U << (24 - 8 * count)) - 1)) != 0) return std::nullopt;
  }
  return bytes;
}

}  // namespace fairlead::text

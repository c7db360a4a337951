// SPDX-License-Identifier: Apache-2.0
#include "text/utf8.h"

#include <cstddef>
#include <cstring>

namespace fairlead::text {
namespace {

constexpr std::uint64_t high_bits = 0x8080'8080'8080'8080U;
constexpr std::size_t stride = 4 * sizeof(std::uint64_t);

std::uint64_t load(const std::byte* at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// The number of leading bytes below 0x80, found a stride at a time; may stop early inside the last stride.
std::size_t ascii_prefix(Bytes text) noexcept {
  std::size_t at = 0;
  const std::byte* data = text.data();
  for (; text.size() - at >= stride; at += stride) {
    const std::uint64_t any = load(data + at) | load(data + at + 8) | load(data + at + 16) | load(data + at + 24);
    if ((any & high_bits) != 0) break;
  }
  for (; text.size() - at >= sizeof(std::uint64_t); at += sizeof(std::uint64_t))
    if ((load(data + at) & high_bits) != 0) break;
  while (at < text.size() && std::to_integer<std::uint8_t>(data[at]) < 0x80) ++at;
  return at;
}

// Four bytes as one number, the first lowest.
std::uint32_t load_four(const std::byte* at) noexcept {
  const auto byte = [&](std::size_t index) { return std::to_integer<std::uint32_t>(at[index]); };
  return byte(0) | byte(1) << 8U | byte(2) << 16U | byte(3) << 24U;
}

// The size of the valid character of two to four bytes that `four` begins with; 0 when there is none. Each mask holds
// the marker bits of every byte; what follows excludes overlong forms, surrogates and what lies above U+10FFFF.
std::size_t wide_character(std::uint32_t four) noexcept {
  if ((four & 0x0000C0E0U) == 0x000080C0U) return (four & 0x1EU) != 0 ? 2 : 0;
  if ((four & 0x00C0C0F0U) == 0x008080E0U) return (four & 0x200FU) != 0 && (four & 0x200FU) != 0x200DU ? 3 : 0;
  if ((four & 0xC0C0C0F8U) != 0x808080F0U || (four & 0x3007U) == 0) return 0;
  return (four & 0x04U) == 0 || (four & 0x3003U) == 0 ? 4 : 0;
}

// The number of leading bytes that are whole, valid characters of more than one byte; may stop early at the end.
std::size_t wide_prefix(Bytes text) noexcept {
  std::size_t at = 0;
  while (text.size() - at >= sizeof(std::uint32_t)) {
    const std::size_t size = wide_character(load_four(text.data() + at));
    if (size == 0) break;
    at += size;
  }
  return at;
}

}  // namespace

// RFC 3629 4: the ranges exclude overlong forms, surrogates and what lies above U+10FFFF at the second byte already.
bool Utf8Validator::begin(std::uint8_t lead) noexcept {
  lowest_ = 0x80;
  highest_ = 0xBF;
  if (lead < 0xC2 || lead > 0xF4) return false;
  if (lead < 0xE0) {
    missing_ = 1;
  } else if (lead < 0xF0) {
    missing_ = 2;
    if (lead == 0xE0) lowest_ = 0xA0;
    if (lead == 0xED) highest_ = 0x9F;
  } else {
    missing_ = 3;
    if (lead == 0xF0) lowest_ = 0x90;
    if (lead == 0xF4) highest_ = 0x8F;
  }
  return true;
}

// Runs of plain and of wide characters at speed; byte by byte where a character is cut or wrong.
bool Utf8Validator::feed(Bytes piece) noexcept {
  std::size_t at = 0;
  while (at < piece.size()) {
    const auto byte = std::to_integer<std::uint8_t>(piece[at]);
    if (missing_ != 0) {
      if (byte < lowest_ || byte > highest_) return false;
      lowest_ = 0x80;
      highest_ = 0xBF;
      --missing_;
      ++at;
    } else if (byte < 0x80) {
      at += ascii_prefix(piece.subspan(at));
    } else if (const std::size_t wide = wide_prefix(piece.subspan(at)); wide != 0) {
      at += wide;
    } else {
      if (!begin(byte)) return false;
      ++at;
    }
  }
  return true;
}

bool is_utf8(Bytes text) noexcept {
  Utf8Validator validator;
  return validator.feed(text) && validator.complete();
}

}  // namespace fairlead::text

// SPDX-License-Identifier: Apache-2.0
#include "text/utf8.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace fairlead::text {
namespace {

// The length of the longest prefix that valid UTF-8 may begin with, by decoding as RFC 3629 3 says: slow and obvious.
std::size_t sound_prefix(std::string_view bytes) {
  const auto at = [&](std::size_t index) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[index]));
  };
  std::size_t start = 0;
  while (start < bytes.size()) {
    const std::uint32_t lead = at(start);
    const std::size_t length = lead < 0x80 ? 1 : lead >> 5U == 6 ? 2 : lead >> 4U == 14 ? 3 : lead >> 3U == 30 ? 4 : 0;
    if (length == 0) return start;
    const std::uint32_t lead_bits = length == 1 ? lead : lead & (0x7FU >> length);
    // Smallest and largest character that the bytes so far could still become.
    std::uint32_t low = lead_bits << 6U * (length - 1);
    std::uint32_t high = low | ((1U << 6U * (length - 1)) - 1);
    constexpr std::array<std::uint32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
    const auto possible = [&] {
      const bool surrogate = low >= 0xD800 && high <= 0xDFFF;
      return high >= smallest.at(length) && low <= 0x10FFFF && !surrogate;
    };
    if (!possible()) return start;
    for (std::size_t index = 1; index < length; ++index) {
      if (start + index == bytes.size()) return bytes.size();
      const std::uint32_t next = at(start + index);
      if (next >> 6U != 2) return start + index;
      const auto shift = static_cast<std::uint32_t>(6U * (length - 1 - index));
      low |= (next & 0x3FU) << shift;
      high = low | ((1U << shift) - 1);
      if (!possible()) return start + index;
    }
    start += length;
  }
  return bytes.size();
}

// Where the validator refuses when fed byte by byte.
std::size_t refused_at(std::string_view bytes) {
  Utf8Validator validator;
  for (std::size_t index = 0; index < bytes.size(); ++index)
    if (!validator.feed(as_bytes(bytes.substr(index, 1)))) return index;
  return bytes.size();
}

TEST(Utf8, AcceptsEveryCharacterAndRefusesEverySurrogate) {
  for (std::uint32_t character = 0; character <= 0x10FFFF; ++character) {
    std::string text;
    const auto put = [&](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
    if (character < 0x80) {
      put(character);
    } else if (character < 0x800) {
      put(0xC0U | character >> 6U), put(0x80U | (character & 0x3FU));
    } else if (character < 0x10000) {
      put(0xE0U | character >> 12U), put(0x80U | (character >> 6U & 0x3FU)), put(0x80U | (character & 0x3FU));
    } else {
      put(0xF0U | character >> 18U), put(0x80U | (character >> 12U & 0x3FU));
      put(0x80U | (character >> 6U & 0x3FU)), put(0x80U | (character & 0x3FU));
    }
    const bool surrogate = character >= 0xD800 && character <= 0xDFFF;
    ASSERT_EQ(is_utf8(as_bytes(text)), !surrogate) << character;
  }
}

TEST(Utf8, FailsAtTheFirstImpossibleByteOfAnyTwoOrThreeBytes) {
  for (std::uint32_t value = 0; value < 0x1000000; value += value < 0x800000 ? 251 : 3) {
    const std::string text{static_cast<char>(value >> 16U), static_cast<char>(value >> 8U), static_cast<char>(value)};
    ASSERT_EQ(refused_at(text), sound_prefix(text)) << value;
  }
}

TEST(Utf8, FailsAtTheFirstImpossibleByteOfFourByteForms) {
  for (const unsigned lead : {0xF0U, 0xF3U, 0xF4U, 0xF5U, 0xF8U, 0xFEU, 0xFFU})
    for (unsigned second = 0; second < 256; ++second)
      for (const unsigned last : {0x7FU, 0x80U, 0xBFU, 0xC0U}) {
        const std::string text{static_cast<char>(lead), static_cast<char>(second), static_cast<char>(0x80),
                               static_cast<char>(last)};
        ASSERT_EQ(refused_at(text), sound_prefix(text)) << lead << " " << second << " " << last;
      }
}

TEST(Utf8, TheVerdictIsTheSameForAnySplit) {
  std::mt19937 random(11);  // NOLINT(cert-msc32-c,cert-msc51-cpp): a repeatable run
  const std::array<std::string_view, 6> parts{
      "plain text, thirty-two bytes and more", "κόσμε", "日本", "🜚", "\xC3", "\xED\xA0"};
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (int part = 0; part < 6; ++part) text += parts.at(random() % (round % 3 == 0 ? 6 : 4));
    Utf8Validator validator;
    bool sound = true;
    for (std::size_t at = 0; at < text.size() && sound;) {
      const std::size_t step = random() % 40 + 1;
      sound = validator.feed(as_bytes(std::string_view(text).substr(at, step)));
      at += step;
    }
    EXPECT_EQ(sound && validator.complete(), is_utf8(as_bytes(text))) << text;
  }
}

TEST(Utf8, ATextThatEndsInsideACharacterIsNotComplete) {
  Utf8Validator validator;
  EXPECT_TRUE(validator.feed(as_bytes("ab\xE2\x82")));
  EXPECT_FALSE(validator.complete());
  EXPECT_TRUE(validator.feed(as_bytes("\xAC")));
  EXPECT_TRUE(validator.complete());
}

}  // namespace
}  // namespace fairlead::text

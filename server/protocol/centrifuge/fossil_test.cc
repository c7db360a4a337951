// SPDX-License-Identifier: Apache-2.0
#include "protocol/centrifuge/fossil.h"

#include "model/utf8.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>

namespace fairlead::server::fossil {
namespace {

constexpr std::size_t limit = 1 << 20;

void expect_round_trip(std::string_view base, std::string_view target) {
  EXPECT_EQ(apply(base, create(base, target), limit), target);
  if (const auto delta = create_utf8(base, target)) {
    EXPECT_EQ(apply(base, *delta, limit), target);
    EXPECT_TRUE(is_utf8(*delta));
    EXPECT_LT(delta->size(), target.size());
  }
}

TEST(Fossil, ChecksumIsTheSumOfBigEndianWords) {
  EXPECT_EQ(checksum(""), 0U);
  EXPECT_EQ(checksum("\x01"), 0x01000000U);
  EXPECT_EQ(checksum("\x01\x02\x03"), 0x01020300U);
  EXPECT_EQ(checksum("\x01\x02\x03\x04\x05"), 0x06020304U);
  EXPECT_EQ(checksum("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), 0xFFFFFFFEU);
}

TEST(Fossil, DeltaIsWrittenInTheFormat) {
  EXPECT_EQ(create("", ""), "0\n0;");
  EXPECT_EQ(create("", "a"), "1\n1:a1X0000;");
  // 34 is "Y": the first 20 ("K") and the last 13 ("D") bytes are the base's, one is new.
  const std::string base = "abcdefghijklmnopqrst0uvwxyzABCDEFG";
  const std::string target = "abcdefghijklmnopqrst1uvwxyzABCDEFG";
  const std::string delta = create(base, target);
  EXPECT_TRUE(delta.starts_with("Y\nK@0,1:1D@L,")) << delta;
  EXPECT_TRUE(delta.ends_with(";"));
}

TEST(Fossil, OneEditOfALongTextIsSmall) {
  std::string base;
  for (int line = 0; line < 200; ++line) base += "line " + std::to_string(line * 7919) + " of the text\n";
  std::string target = base;
  target.replace(1000, 5, "EDITED TEXT");
  expect_round_trip(base, target);
  EXPECT_LT(create(base, target).size(), 50U);
}

TEST(Fossil, MovedPartsAreFound) {
  std::mt19937 random(1);
  std::string a;
  std::string b;
  for (int index = 0; index < 600; ++index) {
    a.push_back(static_cast<char>(random() % 256));
    b.push_back(static_cast<char>(random() % 256));
  }
  expect_round_trip(a + b, b + "between" + a);
  EXPECT_LT(create(a + b, b + "between" + a).size(), 100U);
}

TEST(Fossil, OneLetterEditsNeverCutACharacter) {
  const std::string_view letters[] = {"а", "б", "я", "Ж", "ё", "e", "é", "€", "中", "😀", "😁", "👋"};
  const std::string base = R"({"text":"Съешь же ещё этих мягких французских булок, 😀😁 да выпей чаю 👋🏽 中文字符"})";
  int deltas = 0;
  for (std::size_t at = 0; at < base.size();
       at += std::max<std::size_t>(1, character_length(std::string_view(base).substr(at))))
    for (const std::string_view letter : letters) {
      const std::size_t length = character_length(std::string_view(base).substr(at));
      std::string target = base;
      target.replace(at, length, letter);
      expect_round_trip(base, target);
      const auto delta = create_utf8(base, target);
      deltas += delta.has_value();
    }
  EXPECT_GT(deltas, 700);
}

// Characters whose encodings share their first or last bytes: what is common to base and target ends inside them.
TEST(Fossil, PiecesBeginAndEndAtCharacters) {
  const std::string before = "the same text in front of it: ";
  const std::string after = " and the same text behind it.";
  for (const auto& [was, is] : {std::pair("д", "т"), std::pair("😀", "😁"), std::pair("а", "р"), std::pair("é", "ũ"),
                                std::pair("€", "₭"), std::pair("中", "串")}) {
    const auto delta = create_utf8(before + was + after, before + is + after);
    ASSERT_TRUE(delta) << was;
    EXPECT_TRUE(is_utf8(*delta)) << was;
    EXPECT_TRUE(delta->contains(std::string(":") + is)) << *delta;
    EXPECT_EQ(apply(before + was + after, *delta, limit), before + is + after);
  }
}

TEST(Fossil, TextsAloneHaveUtf8Deltas) {
  const std::string text(100, 'x');
  EXPECT_TRUE(create_utf8(text, text));
  EXPECT_EQ(create_utf8(text + "\xFF", text), std::nullopt);
  EXPECT_EQ(create_utf8(text, text + "\xFF"), std::nullopt);
  EXPECT_EQ(create_utf8(text, "short"), std::nullopt);
  EXPECT_EQ(create_utf8("", text), std::nullopt);
}

std::string random_text(std::mt19937& random, std::size_t size, unsigned letters) {
  std::string text;
  while (text.size() < size) text.push_back(static_cast<char>(random() % letters));
  return text;
}

TEST(Fossil, RandomEditsComeBack) {
  std::mt19937 random(42);
  for (int round = 0; round < 3'000; ++round) {
    const unsigned letters = std::array{2U, 4U, 26U, 256U}[random() % 4];
    const std::string base = random_text(random, random() % 400, letters);
    std::string target = base;
    for (auto edits = random() % 5; edits > 0; --edits) {
      const std::size_t at = random() % (target.size() + 1);
      target.replace(at, random() % 40, random_text(random, random() % 40, letters));
    }
    if (random() % 8 == 0) target = target.substr(target.size() / 2) + target.substr(0, target.size() / 2);
    expect_round_trip(base, target);
  }
}

TEST(Fossil, RandomEditsOfTextComeBack) {
  std::mt19937 random(43);
  const std::string_view characters[] = {"а", "б", "в", "é", "€", "中", "😀", "😁", "a", "b", " ", "\""};
  const auto text = [&](std::size_t count) {
    std::string out;
    while (count-- > 0) out += characters[random() % std::size(characters)];
    return out;
  };
  for (int round = 0; round < 3'000; ++round) {
    std::string parts[5];
    for (auto& part : parts) part = text(random() % 60);
    const std::string base = parts[0] + parts[1] + parts[2] + parts[3] + parts[4];
    parts[random() % 5] = text(random() % 10);
    std::swap(parts[random() % 5], parts[random() % 5]);
    expect_round_trip(base, parts[0] + parts[1] + parts[2] + parts[3] + parts[4]);
  }
}

TEST(Fossil, RepetitionCostsLittle) {
  const std::string base(256 * 1024, 'a');
  std::string target;
  while (target.size() < base.size()) target += std::string(200, 'a') + 'b';
  const auto begin = std::chrono::steady_clock::now();
  expect_round_trip(base, target);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(Fossil, MalformedDeltasAreRefused) {
  const std::string base = "0123456789abcdef0123456789";
  ASSERT_EQ(apply(base, create(base, base), base.size()), base);
  EXPECT_EQ(apply(base, create(base, base), base.size() - 1), std::nullopt);
  for (const char* wrong : {"",
                            "\n",
                            "Q",
                            "Q\n",
                            "Q\nQ",
                            "Q\nQ@",
                            "Q\nQ@0",
                            "Q\nQ@0;",
                            "Q\nR@0,0;",
                            "Q\nQ@1,0;",
                            "Q\nQ@zzzzzz,0;",
                            "Q\nQ@0,0;",
                            "1\n2:ab0;",
                            "1\n1:a1X0000",
                            "1\n1:a1X0000;x",
                            "1\n1:b1X0000;",
                            "2\n1:a1X0000;",
                            "0\n1:a1X0000;",
                            "1\n9:a1X0000;",
                            "1\n1!a1X0000;",
                            "zzzzzzzzzzzz\n0;",
                            "0\n;",
                            "1\n:a1X0000;"})
    EXPECT_EQ(apply(base, wrong, limit), std::nullopt) << wrong;
}

}  // namespace
}  // namespace fairlead::server::fossil

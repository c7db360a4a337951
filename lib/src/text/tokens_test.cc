// SPDX-License-Identifier: Apache-2.0
#include "text/tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

namespace fairlead::text {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Token, HoldsLettersDigitsAndFifteenSigns) {
  for (int c = 0; c < 256; ++c) {
    const std::string text(1, static_cast<char>(c));
    const bool letter_or_digit = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    const bool sign = c != 0 && c < 128 && std::string_view("!#$%&'*+-.^_`|~").contains(static_cast<char>(c));
    EXPECT_EQ(is_token(text), letter_or_digit || sign) << c;
  }
  EXPECT_FALSE(is_token(""));
}

TEST(FieldValue, NeverHoldsALineEnd) {
  for (int c = 0; c < 256; ++c) {
    EXPECT_EQ(is_field_value(std::string(1, static_cast<char>(c))), c == '\t' || (c >= 0x20 && c != 0x7F)) << c;
  }
  EXPECT_TRUE(is_field_value(""));
}

TEST(TokenList, LeavesOutEmptyElements) {
  EXPECT_THAT(*parse_token_list("chat, superchat"), ElementsAre("chat", "superchat"));
  EXPECT_THAT(*parse_token_list(" ,, a ,\tb,"), ElementsAre("a", "b"));
  EXPECT_THAT(*parse_token_list(""), IsEmpty());
  for (const auto* list : {"a b", "a;b", "a, \"b\"", "a,b/c", "\x80"}) EXPECT_EQ(parse_token_list(list), std::nullopt);
}

TEST(TokenList, IsSearchedWithoutCase) {
  EXPECT_TRUE(list_contains("keep-alive, Upgrade", "upgrade"));
  EXPECT_TRUE(list_contains("UPGRADE", "upgrade"));
  EXPECT_FALSE(list_contains("upgrades, xupgrade, up grade", "upgrade"));
  EXPECT_FALSE(list_contains("", "upgrade"));
}

TEST(Extensions, ElementsAndParameters) {
  const auto elements =
      parse_extensions(R"(permessage-deflate; client_max_window_bits ; server_max_window_bits="10" , x;a=b,,y)");
  ASSERT_TRUE(elements);
  ASSERT_EQ(elements->size(), 3U);
  const auto& deflate = elements->at(0);
  EXPECT_EQ(deflate.name, "permessage-deflate");
  ASSERT_EQ(deflate.parameters.size(), 2U);
  EXPECT_EQ(deflate.parameters[0].name, "client_max_window_bits");
  EXPECT_FALSE(deflate.parameters[0].has_value);
  EXPECT_EQ(deflate.parameters[1].value, "10");
  EXPECT_TRUE(deflate.parameters[1].quoted);
  EXPECT_EQ(elements->at(1).parameters[0].value, "b");
  EXPECT_EQ(elements->at(2).name, "y");
}

TEST(Extensions, QuotedPairsLoseTheirBackslash) {
  const auto elements = parse_extensions(R"(a;b="c\d")");
  ASSERT_TRUE(elements);
  EXPECT_EQ(elements->at(0).parameters[0].value, "cd");
}

TEST(Extensions, RefusesBrokenGrammar) {
  for (const auto* value :
       {";", "a;", "a;;b", "a;=b", "a;b=", "a;b=\"", "a;b=\"c", "a;b=\"c\\", "a;b=\"\"", "a;b=\"c d\"", "a b", "a;b c",
        "a;b=c d", "a;b=\"c\"d", "\"a\"", "a/b", "a;b==c", "a;b=c;", "\x01"}) {
    EXPECT_EQ(parse_extensions(value), std::nullopt) << value;
  }
  EXPECT_THAT(*parse_extensions(""), IsEmpty());
  EXPECT_THAT(*parse_extensions(" , ,"), IsEmpty());
}

// CVE-2021-32640, CVE-2020-7662, CVE-2020-7663: values that made regular expressions explode.
TEST(Extensions, HostileValuesTakeLinearTime) {
  constexpr std::size_t million = 1'000'000;
  std::string pairs;
  std::string elements;
  for (std::size_t i = 0; i < million / 4; ++i) {
    pairs += "a;b;";
    elements += "a, ,";
  }
  const std::string corpus[] = {
      "a;b=\"" + std::string(million, '\\'),
      "a;b=\"" + std::string(million, 'c'),
      std::string(million, ' ') + "\x01",
      "a" + std::string(million, ' ') + "b",
      std::string(million, ','),
      std::string(million, ';'),
      std::string(million, 'a') + "/",
      "a;b=" + std::string(million, '\t'),
      pairs,
      elements,
  };
  const std::clock_t start = std::clock();  // of this process: a busy machine must not look like quadratic work
  for (const auto& value : corpus) {
    (void)parse_extensions(value);
    (void)parse_token_list(value);
    (void)list_contains(value, "upgrade");
  }
  // Quadratic work on a million bytes takes minutes; this bound only has to tell the two apart.
  EXPECT_LT(std::clock() - start, 10 * CLOCKS_PER_SEC);
}

TEST(Decimal, DigitsOnly) {
  EXPECT_EQ(parse_decimal("0"), 0U);
  EXPECT_EQ(parse_decimal("18446744073709551615"), UINT64_MAX);
  for (const auto* text : {"", "-1", "+1", " 1", "1 ", "0x1", "1e3", "18446744073709551616", "1,1"}) {
    EXPECT_EQ(parse_decimal(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace fairlead::text

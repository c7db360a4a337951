// SPDX-License-Identifier: Apache-2.0
#include "model/json.h"

#include "model/json_cursor.h"
#include "model/utf8.h"

#include <gtest/gtest.h>

namespace fairlead::server {
namespace {

class ValidJson : public testing::TestWithParam<const char*> {};
TEST_P(ValidJson, IsJson) { EXPECT_TRUE(is_json(GetParam())) << GetParam(); }
INSTANTIATE_TEST_SUITE_P(Json, ValidJson,
                         testing::Values("{}", "[]", "null", "true", "false", "0", "-0", "-1.5e+10", "1E-3", "0.5",
                                         "\"\"", "\"\\u00e9\\n\\\"\\/\"", "\"Привет 👋\"",
                                         " \t\r\n{ \"a\" : [ 1 , 2 ] } ", "\"\\ud83d\\ude00\"", "\"\\ud800\"",
                                         "{\"a\":1,\"a\":2}", "[[],{},\"\"]", "\"\x7f\"",
                                         "123456789012345678901234567890"));

class InvalidJson : public testing::TestWithParam<const char*> {};
TEST_P(InvalidJson, IsNot) { EXPECT_FALSE(is_json(GetParam())) << GetParam(); }
INSTANTIATE_TEST_SUITE_P(Json, InvalidJson,
                         testing::Values("", " ", "{", "}", "[", "]", "{]", "[1,]", "{\"a\":1,}", "{,}", "[,1]",
                                         "{\"a\"}", "{a:1}", "{1:2}", "01", "-", "+1", "1.", ".5", "1e", "1e+", "0x1",
                                         "nul", "truex", "NaN", "Infinity", "\"", "\"\\\"", "\"\\x\"", "\"\\u12\"",
                                         "\"\\u12g4\"", "\"\n\"", "\"\t\"", "'a'", "1 2", "{} {}", "\xFF", "\"\xC3\"",
                                         "\"\xED\xA0\x80\"", "\"\xC0\x80\"", "\xEF\xBB\xBF{}", "// c\n1"));

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(Json, NestingIsBounded) {
  EXPECT_TRUE(is_json(nested(json_depth_limit)));
  EXPECT_FALSE(is_json(nested(json_depth_limit + 1)));
  EXPECT_FALSE(is_json(nested(1'000'000)));
  EXPECT_TRUE(is_json("[[],[],[]]", 2));
  EXPECT_FALSE(is_json("[[[]]]", 2));
}

TEST(Json, CompactTextHasNoRawLineBreaks) {
  EXPECT_EQ(compact_json("{\r\n \"a\": \"x\\ny\"\n}\n"), "{ \"a\": \"x\\ny\"}");
  EXPECT_EQ(compact_json("{\"a\":1}"), "{\"a\":1}");
  EXPECT_EQ(compact_json("{\"a\":1"), std::nullopt);
  EXPECT_EQ(compact_json(std::string("\"a\0b\"", 5)), std::nullopt);
}

TEST(Json, EveryPrefixOfAnObjectIsNoJson) {
  const std::string text = R"({"a":[1.5e3,"\u0041x",null,true],"b":{"c":false}})";
  for (std::size_t size = 0; size < text.size(); ++size) EXPECT_FALSE(is_json(text.substr(0, size))) << size;
}

// Strings are read several bytes at a time: wherever a byte that means something stands, it is found.
TEST(Json, AByteThatMeansSomethingIsFoundAtAnyPlaceInAString) {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string plain(size, 'x');
    EXPECT_TRUE(is_json('"' + plain + '"'));
    EXPECT_FALSE(is_json('"' + plain));
    for (std::size_t at = 0; at < size; ++at) {
      const auto with = [&](std::string_view what) { return '"' + std::string(plain).replace(at, 1, what) + '"'; };
      for (char control = 0; control < 0x20; ++control) EXPECT_FALSE(is_json(with({&control, 1})));
      EXPECT_FALSE(is_json(with("\""))) << size << " " << at;
      EXPECT_TRUE(is_json(with("\\\"")));
      EXPECT_TRUE(is_json(with("\\\\")));
      EXPECT_TRUE(is_json(with(" !#[]\x7f\u00e9\u20ac")));
    }
  }
}

std::optional<std::string> string_of(std::string_view json) {
  std::string out;
  return JsonCursor(json, 4).string(out) ? std::optional(out) : std::nullopt;
}

TEST(JsonCursor, StringsAreUnescaped) {
  EXPECT_EQ(string_of(R"("a\"\\\/\b\f\n\r\tz")"), "a\"\\/\b\f\n\r\tz");
  EXPECT_EQ(string_of(R"("\u0041\u00e9\u20ac")"), "Aé€");
  EXPECT_EQ(string_of(R"("\ud83d\ude00")"), "😀");
  EXPECT_EQ(string_of(R"("\ud83dx")"), "\xEF\xBF\xBDx");
  EXPECT_EQ(string_of(R"("\ud83d\u0041")"),
            "\xEF\xBF\xBD"
            "A");
  EXPECT_EQ(string_of(R"("\ude00")"), "\xEF\xBF\xBD");
  EXPECT_EQ(string_of(R"("\u0000")"), std::string(1, '\0'));
  EXPECT_EQ(string_of(R"("open)"), std::nullopt);
  EXPECT_EQ(string_of("7"), std::nullopt);
}

template <class Number>
std::optional<Number> integer_of(std::string_view json) {
  Number out = 0;
  JsonCursor cursor(json, 4);
  return cursor.integer(out) && cursor.at_end() ? std::optional(out) : std::nullopt;
}

TEST(JsonCursor, IntegersAreExactAndBounded) {
  EXPECT_EQ(integer_of<std::uint64_t>("18446744073709551615"), 18446744073709551615U);
  EXPECT_EQ(integer_of<std::uint64_t>("18446744073709551616"), std::nullopt);
  EXPECT_EQ(integer_of<std::uint64_t>("-1"), std::nullopt);
  EXPECT_EQ(integer_of<std::int64_t>("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(integer_of<std::int64_t>("9223372036854775808"), std::nullopt);
  for (const char* wrong : {"1.0", "1e3", "\"1\"", "true", "null", "[]", "", "01"})
    EXPECT_EQ(integer_of<std::int64_t>(wrong), std::nullopt) << wrong;
}

TEST(JsonCursor, EscapedKeysAreTheSameKeys) {
  JsonCursor cursor(R"({"\u0061b": 1, "c" : [2]})", 4);
  std::vector<std::string> keys;
  EXPECT_TRUE(cursor.object([&](std::string_view key) { return keys.emplace_back(key), cursor.skip(); }));
  EXPECT_TRUE(cursor.at_end());
  EXPECT_EQ(keys, (std::vector<std::string>{"ab", "c"}));
}

TEST(JsonCursor, RawIsTheValueWithoutTheSpaceAroundIt) {
  JsonCursor cursor("  [1, 2]  ", 4);
  EXPECT_EQ(cursor.raw(), "[1, 2]");
  EXPECT_TRUE(cursor.at_end());
}

TEST(Utf8, CharactersHaveTheirLength) {
  EXPECT_EQ(character_length("a"), 1U);
  EXPECT_EQ(character_length("é"), 2U);
  EXPECT_EQ(character_length("€"), 3U);
  EXPECT_EQ(character_length("😀"), 4U);
  for (const char* broken : {"", "\x80", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
                             "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\xE2\x82z"})
    EXPECT_EQ(character_length(broken), 0U) << broken;
}

TEST(Utf8, RepairedTextIsValidAndKeepsWhatWas) {
  EXPECT_EQ(repaired_utf8("aé😀"), "aé😀");
  EXPECT_EQ(repaired_utf8("a\xFFz\xE2\x82"), "a\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD");
  for (unsigned first = 0; first < 256; ++first)
    for (unsigned second = 0; second < 256; ++second) {
      const std::string text{static_cast<char>(first), static_cast<char>(second)};
      EXPECT_TRUE(is_utf8(repaired_utf8(text)));
      EXPECT_EQ(is_utf8(text), repaired_utf8(text) == text);
    }
}

}  // namespace
}  // namespace fairlead::server

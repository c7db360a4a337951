// SPDX-License-Identifier: Apache-2.0
// What is written must be read back by a JSON parser as what it was, whatever a peer put into it.
#include "json.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <limits>
#include <random>

namespace fairlead::cli {
namespace {

std::string read_back(const std::string& json) {
  simdjson::dom::parser parser;
  std::string_view text;
  const auto error = parser.parse("[" + json + "]").at(0).get_string().get(text);
  EXPECT_EQ(error, simdjson::SUCCESS) << json;
  return std::string(text);
}

TEST(Json, EscapesWhatMustBeEscaped) {
  EXPECT_EQ(json_string("a\"b\\c\n\r\t\x01\x7f</script>"), "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u007f\\u003c/script>\"");
}

TEST(Json, EveryCharacterComesBack) {
  for (int c = 0; c < 0x80; ++c) {
    const std::string text(1, static_cast<char>(c));
    EXPECT_EQ(read_back(json_string(text)), text);
  }
  for (const char* text : {"é", "漢字", "🚢", "\xf4\x8f\xbf\xbf", "\xef\xbf\xbd"}) {
    EXPECT_EQ(read_back(json_string(text)), text);
  }
}

TEST(Json, WhatIsNotUtf8BecomesAReplacementCharacter) {
  constexpr std::string_view replacement = "\xef\xbf\xbd";
  for (const char* bad : {"\xff", "\xc3", "\xe2\x82", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
    const std::string text = read_back(json_string(bad));
    EXPECT_TRUE(text.starts_with(replacement));
  }
}

TEST(Json, AnyBytesGiveJsonThatParses) {
  std::mt19937 random(1);
  for (int round = 0; round < 2'000; ++round) {
    std::string bytes(random() % 40, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    read_back(json_string(bytes));
  }
}

TEST(Json, WritesNestedValues) {
  JsonWriter json;
  json.open('{').member("a", 1).key("b").open('[').value(true).value("x").open('{').close('}').close(']');
  json.member("c", 0.5).member("d", std::numeric_limits<double>::infinity()).close('}');
  EXPECT_EQ(json.text(), R"({"a":1,"b":[true,"x",{}],"c":0.5,"d":null})");
}

}  // namespace
}  // namespace fairlead::cli

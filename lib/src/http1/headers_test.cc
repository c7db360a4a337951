// SPDX-License-Identifier: Apache-2.0
#include <fairlead/http.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead {
namespace {

using testing::ElementsAre;

TEST(Headers, AreFoundWithoutCaseAndKeepTheirOrder) {
  Headers headers{{"Host", "a"}, {"X-One", "1"}, {"x-one", "2"}};
  EXPECT_EQ(headers.find("HOST"), "a");
  EXPECT_THAT(headers.all("X-ONE"), ElementsAre("1", "2"));
  EXPECT_EQ(headers.count("x-One"), 2U);
  EXPECT_EQ(headers.find("X-On"), std::nullopt);
  EXPECT_EQ(headers.begin()->name, "Host");
}

TEST(Headers, SetReplacesAllOfThatNameInPlace) {
  Headers headers{{"A", "1"}, {"B", "2"}, {"a", "3"}};
  EXPECT_TRUE(headers.set("a", "4"));
  ASSERT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers.begin()->value, "4");
  EXPECT_TRUE(headers.set("C", "5"));
  EXPECT_EQ(headers.find("C"), "5");
}

TEST(Headers, MayBeChangedByTheirOwnViews) {
  Headers headers{{"A", "1"}, {"A", "2"}};
  headers.set(headers.begin()->name, *headers.find("A"));
  EXPECT_THAT(headers.all("A"), ElementsAre("1"));
  EXPECT_EQ(headers.remove(headers.begin()->name), 1U);
  EXPECT_TRUE(headers.empty());
}

TEST(Headers, DropSpacesAroundAValue) {
  Headers headers;
  EXPECT_TRUE(headers.add("A", " \tb c\t "));
  EXPECT_EQ(headers.find("A"), "b c");
  EXPECT_TRUE(headers.add("Empty", "  "));
  EXPECT_EQ(headers.find("Empty"), "");
}

// CVE-2026-1527: a value from elsewhere must not become a line of its own.
TEST(Headers, NeverHoldALineEnd) {
  for (int c = 0; c < 256; ++c) {
    const std::string character(1, static_cast<char>(c));
    Headers headers;
    const bool control = (c < 0x20 && c != '\t') || c == 0x7F;
    EXPECT_EQ(headers.add("A", "x" + character + "y"), !control) << c;
    EXPECT_EQ(headers.set("B", character), !control) << c;
    EXPECT_EQ(headers.empty(), control) << c;
  }
  EXPECT_TRUE((Headers{{"A", "x\r\nEvil: 1"}, {"B\r\n", "1"}}).empty());
}

TEST(Headers, NamesAreTokens) {
  Headers headers;
  for (const auto* name : {"", "a b", "a:", "a\r", "a\n", "(a)", "\xc3\xa9", "a ", " a"}) {
    EXPECT_FALSE(headers.add(name, "1")) << name;
    EXPECT_FALSE(headers.set(name, "1")) << name;
  }
  EXPECT_TRUE(headers.empty());
}

TEST(PeerAddress, ReadsLikeAnAddress) {
  EXPECT_EQ(to_string(PeerAddress{"192.0.2.1", 443, {}}), "192.0.2.1:443");
  EXPECT_EQ(to_string(PeerAddress{"2001:db8::1", 443, {}}), "[2001:db8::1]:443");
  EXPECT_EQ(to_string(PeerAddress{{}, 0, "/run/x"}), "unix:/run/x");
  EXPECT_EQ(to_string(PeerAddress{}), "unix");
}

TEST(Response, LocationCannotInjectAField) {
  EXPECT_EQ(Response::redirect("/a").headers.find("Location"), "/a");
  const auto refused = Response::redirect("/a\r\nSet-Cookie: b");
  EXPECT_EQ(refused.status, 500);
  EXPECT_TRUE(refused.headers.empty());
}

TEST(Response, EveryStatusHasAPhrase) {
  EXPECT_EQ(reason_phrase(404), "Not Found");
  EXPECT_EQ(reason_phrase(499), "Client Error");
  for (int status = 100; status < 1000; ++status) EXPECT_FALSE(reason_phrase(status).empty());
}

}  // namespace
}  // namespace fairlead

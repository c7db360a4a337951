// SPDX-License-Identifier: Apache-2.0
#include <fairlead/url.h>

#include <gtest/gtest.h>

namespace fairlead {
namespace {

TEST(Url, PartsAndDefaults) {
  const auto url = parse_url("WSS://Example.ORG/chat?token=secret");
  ASSERT_TRUE(url) << to_string(url.error());
  EXPECT_EQ(*url, (Url{"wss", "example.org", 443, "/chat?token=secret", false}));
  EXPECT_TRUE(url->secure());
  EXPECT_TRUE(url->is_websocket());
  EXPECT_EQ(url->host_field(), "example.org");
  EXPECT_EQ(url->path(), "/chat");
}

TEST(Url, EmptyPathIsTheRoot) {
  EXPECT_EQ(parse_url("ws://h")->target, "/");
  EXPECT_EQ(parse_url("ws://h?a=b")->target, "/?a=b");
  EXPECT_EQ(parse_url("http://h")->port, 80);
}

TEST(Url, AddressLiteralsStandWithoutBrackets) {
  const auto six = parse_url("wss://[2001:DB8::1]:8443/");
  ASSERT_TRUE(six);
  EXPECT_EQ(six->host, "2001:db8::1");
  EXPECT_TRUE(six->host_is_ip);
  EXPECT_EQ(six->host_field(), "[2001:db8::1]:8443");
  const auto four = parse_url("wss://127.0.0.1");
  ASSERT_TRUE(four);
  EXPECT_TRUE(four->host_is_ip);
  EXPECT_FALSE(parse_url("wss://localhost")->host_is_ip);
}

TEST(Url, PortStandsInHostOnlyWhenItIsNotTheDefault) {
  EXPECT_EQ(parse_url("wss://h:443/")->host_field(), "h");
  EXPECT_EQ(parse_url("wss://h:80/")->host_field(), "h:80");
  EXPECT_EQ(parse_url("ws://h:80/")->host_field(), "h");
  EXPECT_EQ(parse_url("ws://h:/")->port, 80);
}

TEST(Url, LogsNeverShowTheQuery) {
  EXPECT_EQ(parse_url("wss://h/a?token=secret")->redacted(), "wss://h/a?…");
  EXPECT_EQ(parse_url("wss://h/a")->redacted(), "wss://h/a");
  EXPECT_EQ(parse_url("wss://h:1/a?b")->text(), "wss://h:1/a?b");
}

TEST(Url, RefusesWhatCannotBeAServer) {
  for (const auto* text : {"",
                           "h",
                           "/a",
                           "//h/a",
                           "wss:",
                           "wss://",
                           "wss:///a",
                           "ftp://h",
                           "wsss://h",
                           "wss://h#f",
                           "wss://h/#",
                           "wss://user@h",
                           "wss://user:pw@h",
                           "wss://@h",
                           "wss://h:0",
                           "wss://.",
                           "wss://.:443/x",
                           "wss://h:65536",
                           "wss://h:x",
                           "wss://h:-1",
                           "wss://[::1",
                           "wss://::1",
                           "wss://[v1.x]",
                           "wss://h/a b",
                           " wss://h",
                           "wss://h ",
                           "wss://h/\r\nX: y",
                           "wss://h\r\n",
                           "wss://h/%",
                           "wss://h/%zz",
                           "wss://h,i",
                           "wss://ex%61mple",
                           "wss://h\xc3\xa9",
                           "wss://h/\x01"}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, Errc::bad_url);
    EXPECT_EQ(url.error().detail.find("pw"), std::string::npos) << "the detail must not repeat a password";
  }
}

TEST(Url, TextAndParseAreInverse) {
  for (const auto* text : {"wss://h/", "ws://[::1]:81/a?b=c", "https://a.b/c/d", "http://1.2.3.4:8080/?q"}) {
    const auto url = parse_url(text);
    ASSERT_TRUE(url) << text;
    EXPECT_EQ(url->text(), text);
    EXPECT_EQ(parse_url(url->text()), *url);
  }
}

}  // namespace
}  // namespace fairlead

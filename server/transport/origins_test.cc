// SPDX-License-Identifier: Apache-2.0
#include "transport/origins.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace fairlead::server {
namespace {

Request request_of(std::string_view host, std::string_view origin, bool secure = true) {
  Request request;
  request.headers.add("Host", host);
  if (!origin.empty()) request.headers.add("Origin", origin);
  if (secure) request.tls = std::make_shared<const TlsInfo>();
  return request;
}

TEST(Origins, OfProgramsAndOfThePageItself) {
  const Origins origins({});
  EXPECT_TRUE(origins.allow(request_of("chat.example", "")));
  EXPECT_TRUE(origins.allow(request_of("chat.example", "https://chat.example")));
  EXPECT_TRUE(origins.allow(request_of("chat.example:443", "https://chat.example")));
  EXPECT_TRUE(origins.allow(request_of("Chat.example:8443", "https://chat.EXAMPLE:8443")));
  EXPECT_FALSE(origins.allow(request_of("chat.example", "https://chat.example:8443")));
  EXPECT_FALSE(origins.allow(request_of("chat.example", "https://evil.example")));
  EXPECT_FALSE(origins.allow(request_of("chat.example", "https://chat.example.evil.net")));
  EXPECT_FALSE(origins.allow(request_of("chat.example", "null")));
  EXPECT_FALSE(origins.allow(request_of("", "https://")));
}

TEST(Origins, OfTlsAreNotReachedFromCleartextPages) {
  const Origins origins({});
  EXPECT_FALSE(origins.allow(request_of("chat.example", "http://chat.example", true)));
  EXPECT_TRUE(origins.allow(request_of("chat.example", "http://chat.example", false)));
  EXPECT_TRUE(origins.allow(request_of("chat.example", "https://chat.example", false))) << "a proxy ended TLS";
}

TEST(Origins, OfTheConfigurationAreGlobs) {
  const Origins origins({"https://*.example.org", "https://one.example:8443"});
  EXPECT_TRUE(origins.allow(request_of("chat.example", "https://app.example.org")));
  EXPECT_TRUE(origins.allow(request_of("chat.example", "https://one.example:8443")));
  EXPECT_FALSE(origins.allow(request_of("chat.example", "https://one.example")));
  EXPECT_FALSE(origins.allow(request_of("chat.example", "null")));
}

TEST(Origins, SaidTwiceAreNone) {
  const Origins origins({"*"});
  Request twice = request_of("chat.example", "https://a.example");
  twice.headers.add("Origin", "https://b.example");
  EXPECT_FALSE(origins.allow(twice));
}

TEST(Origins, OfAllowedPagesMayReadTheAnswer) {
  const Origins origins({"https://app.example"});
  Headers headers;
  origins.add_cors(request_of("chat.example", "https://app.example"), headers);
  EXPECT_EQ(headers.find("Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_EQ(headers.find("Access-Control-Allow-Credentials"), "true");
  EXPECT_EQ(headers.find("Vary"), "Origin");
  Headers none;
  origins.add_cors(request_of("chat.example", "https://evil.example"), none);
  origins.add_cors(request_of("chat.example", ""), none);
  EXPECT_TRUE(none.empty());
}

}  // namespace
}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
#include "ws/origin.h"

#include <fairlead/tls_info.h>

#include <gtest/gtest.h>

namespace fairlead::ws {
namespace {

Request request(std::string_view host, std::optional<std::string_view> origin, bool secure = true) {
  Request made;
  made.headers.add("Host", host);
  if (origin) made.headers.add("Origin", *origin);
  if (secure) made.tls = std::make_shared<TlsInfo>();
  return made;
}

struct Row {
  std::string_view host;
  std::string_view origin;
  bool allowed;
  bool secure = true;
};

// CVE-2025-24964, CVE-2025-24010: the matrix of Origin and Host.
TEST(SameOrigin, TableOverTls) {
  const Row table[] = {
      {"example.org", "https://example.org", true},
      {"example.org", "https://example.org:443", true},
      {"example.org:443", "https://example.org", true},
      {"Example.ORG", "HTTPS://eXample.org", true},
      {"example.org:8443", "https://example.org:8443", true},
      {"[::1]:8443", "https://[::1]:8443", true},
      {"127.0.0.1", "https://127.0.0.1", true},
      {"example.org:8443", "https://example.org", false},
      {"example.org", "https://example.org:8443", false},
      {"example.org", "http://example.org", false},      // scheme downgrade
      {"example.org", "http://example.org:443", false},  // the same with the port made to fit
      {"example.org:80", "http://example.org", false},
      {"example.org", "ws://example.org", false},
      {"example.org", "https://example.org.evil.com", false},
      {"example.org", "https://evilexample.org", false},
      {"example.org", "https://evil.com/example.org", false},
      {"example.org", "https://evil.com#example.org", false},
      {"example.org", "https://evil.com?https://example.org", false},
      {"example.org", "https://example.org@evil.com", false},
      {"example.org", "https://user@example.org", false},
      {"example.org", "https://sub.example.org", false},
      {"sub.example.org", "https://example.org", false},
      {"example.org", "https://example.org.", false},
      {"example.org", "https://example.org/", false},
      {"example.org", "https://example.org https://evil.com", false},
      {"example.org", "https://example.org, https://evil.com", false},
      {"example.org", "example.org", false},
      {"example.org", "//example.org", false},
      {"example.org", "https:example.org", false},
      {"example.org", "https://", false},
      {"example.org", "", false},
      {"example.org", "null", false},
      {"example.org", "NULL", false},
      {"null", "null", false},
      {"localhost", "https://127.0.0.1", false},
      {"example.org", "file://", false},
      {"example.org", "https://example.org:0443x", false},
      {"example.org", "https://xn--exmple-cua.org", false},
  };
  for (const auto& row : table) {
    const auto checked = check_origin(request(row.host, row.origin, row.secure), {});
    EXPECT_EQ(checked.has_value(), row.allowed) << row.host << " from " << row.origin;
    if (!checked) {
      EXPECT_EQ(checked.error().code, Errc::handshake_origin_denied);
    }
  }
}

TEST(SameOrigin, InCleartextThePageMayBeSecure) {
  const Row table[] = {
      {"localhost:8080", "http://localhost:8080", true, false}, {"example.org", "http://example.org", true, false},
      {"example.org", "https://example.org", true, false},  // a proxy ended TLS
      {"example.org:80", "https://example.org", false, false},  {"example.org", "http://evil.org", false, false},
      {"example.org", "ftp://example.org", false, false},
  };
  for (const auto& row : table) {
    EXPECT_EQ(check_origin(request(row.host, row.origin, row.secure), {}).has_value(), row.allowed)
        << row.host << " from " << row.origin;
  }
}

TEST(Origin, TwoFieldsAreDenied) {
  auto twice = request("example.org", "https://example.org");
  twice.headers.add("Origin", "https://example.org");
  EXPECT_FALSE(check_origin(twice, {}));
}

TEST(Origin, AbsentIsAllowedUnlessBrowsersAloneAreServed) {
  EXPECT_TRUE(check_origin(request("example.org", std::nullopt), {}));
  OriginPolicy browsers;
  browsers.allow_absent = false;
  EXPECT_FALSE(check_origin(request("example.org", std::nullopt), browsers));
}

TEST(Origin, NullNeedsItsOwnPermission) {
  OriginPolicy policy;
  policy.allowed = {"null", "*"};
  EXPECT_FALSE(check_origin(request("example.org", "null"), policy));
  policy.dangerously_allow_null_origin = true;
  EXPECT_TRUE(check_origin(request("example.org", "null"), policy));
}

TEST(Origin, ListedOriginsMatchAsAWhole) {
  OriginPolicy policy;
  policy.same_origin = false;
  policy.allowed = {"https://app.example.org", "http://localhost:3000", "*",        "https://*.wild.org",
                    "chrome-extension://abc",  "https://path.org/x",    "plain.org"};
  const std::pair<std::string_view, bool> table[] = {
      {"https://app.example.org", true}, {"https://APP.example.org:443", true},
      {"http://localhost:3000", true},   {"chrome-extension://abc", true},
      {"http://app.example.org", false}, {"https://app.example.org:8443", false},
      {"http://localhost", false},       {"http://localhost:30000", false},
      {"https://a.wild.org", false},     {"https://app.example.org.evil", false},
      {"https://path.org", false},       {"https://plain.org", false},
      {"https://host", false},
  };
  for (const auto& [origin, allowed] : table) {
    EXPECT_EQ(check_origin(request("host", origin), policy).has_value(), allowed) << origin;
  }
}

TEST(Origin, AnyOriginOnlyWhenSaidLoudly) {
  OriginPolicy policy;
  policy.dangerously_allow_any_origin = true;
  EXPECT_TRUE(check_origin(request("example.org", "https://evil.com"), policy));
  EXPECT_TRUE(check_origin(request("example.org", "null"), policy));
}

// DNS rebinding: the attacker's own name points at this server, so Origin and Host agree with each other.
TEST(HostList, StopsReboundNames) {
  OriginPolicy policy;
  policy.hosts = {"example.org", "localhost:8443", "[::1]"};
  const std::pair<std::string_view, bool> table[] = {
      {"example.org", true},   {"EXAMPLE.org:9000", true}, {"localhost:8443", true}, {"[::1]:1", true},
      {"localhost", false},    {"localhost:8444", false},  {"evil.com", false},      {"example.org.evil.com", false},
      {"xexample.org", false}, {"[::2]", false},           {"example.org:x", false},
  };
  for (const auto& [host, allowed] : table) {
    for (const bool with_origin : {false, true}) {
      const auto origin = "https://" + std::string(host);
      const auto made = request(host, with_origin ? std::optional<std::string_view>(origin) : std::nullopt);
      const auto checked = check_origin(made, policy);
      EXPECT_EQ(checked.has_value(), allowed) << host;
      if (!checked) {
        EXPECT_EQ(checked.error().code, Errc::http_host_invalid);
      }
    }
  }
  policy.dangerously_allow_any_origin = true;
  EXPECT_FALSE(check_origin(request("evil.com", "https://evil.com"), policy)) << "not lifted by the other switch";
}

TEST(OriginPolicyEntries, ThatCanMatchNothingAreRecognised) {
  for (const char* good :
       {"https://example.org", "https://example.org:8443", "http://[::1]:80", "HTTPS://Example.org"}) {
    EXPECT_TRUE(is_origin(good)) << good;
  }
  for (const char* bad : {"", "example.org", "https://", "https://example.org/", "https://*.example.org", "null"}) {
    EXPECT_FALSE(is_origin(bad)) << bad;
  }
  for (const char* good : {"example.org", "localhost:8443", "[::1]"}) EXPECT_TRUE(is_host(good)) << good;
  for (const char* bad : {"", "https://example.org", "example.org/", ":8443"}) EXPECT_FALSE(is_host(bad)) << bad;
}

TEST(HostPolicy, HoldsForRequestsThatAreNoHandshake) {
  Request request;
  OriginPolicy policy;
  request.headers.add("Host", "rebound.example");
  EXPECT_TRUE(check_host(request, policy)) << "no list, no check";
  policy.hosts = {"example.org"};
  EXPECT_EQ(check_host(request, policy).error().code, Errc::http_host_invalid);
  request.headers.set("Host", "example.org:8443");
  EXPECT_TRUE(check_host(request, policy));
}

}  // namespace
}  // namespace fairlead::ws

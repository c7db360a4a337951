// SPDX-License-Identifier: Apache-2.0
#include "admin/admin.h"

#include "api/testing/fake_control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::server {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::FakeControl;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AdminPages : public ::testing::Test {
 protected:
  FakeControl control;
  TimePoint now{};
  std::string cookie, csrf;
  std::unique_ptr<Admin> admin;

  void SetUp() override {
    AdminEnvironment environment;
    environment.password = "open sesame";
    environment.clock = [this] { return now; };
    environment.unix_seconds = [] { return 1'000'000; };
    environment.limits = [] { return std::vector<AdminLimit>{{"client.channel_limit", "128"}}; };
    environment.certificates = [] {
      return std::vector<AdminCertificate>{{"CN=a", "CN=ca", "a.pem", {"a.example"}, 1'000'000 + 86'400 * 30},
                                           {"CN=b", "CN=ca", "b.pem", {}, 1'000'000 + 86'400 * 3 + 5}};
    };
    admin = std::make_unique<Admin>(control, std::move(environment));
  }

  // As a browser's page of https://example.com asks.
  Request request(std::string method, std::string body = {}) const {
    Request made;
    made.method = std::move(method);
    made.body = std::move(body);
    made.peer.ip = "192.0.2.1";
    made.tls = std::make_shared<TlsInfo>();
    made.headers = {{"Host", "example.com"}, {"Origin", "https://example.com"}};
    if (!cookie.empty()) made.headers.add("Cookie", "other=1; " + cookie);
    if (!csrf.empty()) made.headers.add("X-Fairlead-CSRF", csrf);
    return made;
  }
  Response ask(std::string_view path, const Request& made) {
    std::optional<Response> answered;
    admin->handle(path, made, [&answered](Response response) { answered = std::move(response); });
    EXPECT_TRUE(answered);
    return answered.value_or(Response{});
  }
  Response login(const std::string& password) {
    return ask("login", request("POST", "{\"password\":\"" + password + "\"}"));
  }
  void sign_in() {
    const auto response = login("open sesame");
    ASSERT_EQ(response.status, 200);
    const std::string field(response.headers.find("Set-Cookie").value_or(""));
    cookie = field.substr(0, field.find(';'));
    csrf = response.body.substr(9, 64);
  }
};

using AdminSignIn = AdminPages;
using AdminForgery = AdminPages;
using AdminAnswers = AdminPages;

TEST_F(AdminSignIn, GivesACookieThatScriptsAndOtherSitesDoNotSee) {
  const auto response = login("open sesame");
  EXPECT_EQ(response.status, 200);
  const std::string field(response.headers.find("Set-Cookie").value_or(""));
  EXPECT_THAT(field, ::testing::MatchesRegex("__Host-fairlead-admin=[0-9a-f]{64}; Path=/; HttpOnly; SameSite=Strict; "
                                             "Max-Age=28800; Secure"));
  EXPECT_THAT(response.body, ::testing::MatchesRegex(R"(\{"csrf":"[0-9a-f]{64}"\})"));
  EXPECT_EQ(response.headers.find("Cache-Control"), "no-store");
}

TEST_F(AdminSignIn, WrongPasswordIs401AndTheSixthAttemptOfAMinute429) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(login("guess").status, 401);
  const auto refused = login("open sesame");
  EXPECT_EQ(refused.status, 429) << "also the right one";
  EXPECT_EQ(refused.headers.find("Retry-After"), "60");
  auto other = request("POST", R"({"password":"open sesame"})");
  other.peer.ip = "192.0.2.2";
  EXPECT_EQ(ask("login", other).status, 200) << "another address";
  now += seconds(59);
  EXPECT_EQ(login("open sesame").status, 429);
  now += seconds(1);
  EXPECT_EQ(login("open sesame").status, 200);
}

TEST_F(AdminSignIn, BehindAProxyOfThisMachineEachClientHasItsOwnAttempts) {
  auto by_proxy = request("POST", R"({"password":"guess"})");
  by_proxy.peer.ip = "127.0.0.1";
  const auto from = [&](std::string_view forwarded) {
    by_proxy.headers.set("X-Forwarded-For", forwarded);
    return ask("login", by_proxy).status;
  };
  for (int i = 0; i < 5; ++i) {
    const std::string invented = std::to_string(i) + ".0.0.1, ";  // by the client, before the proxy's own
    EXPECT_EQ(from(invented + "198.51.100.7:" + std::to_string(40'000 + i)), 401);
  }
  EXPECT_EQ(from("198.51.100.7"), 429);
  EXPECT_EQ(from("198.51.100.8"), 401);
  EXPECT_EQ(from("[2001:db8::1]:443"), 401);
  by_proxy.headers.remove("X-Forwarded-For");
  EXPECT_EQ(ask("login", by_proxy).status, 401) << "somebody on this machine";
  for (int i = 0; i < 93; ++i) EXPECT_EQ(from("203.0.113." + std::to_string(i)), 401);
  EXPECT_EQ(from("203.0.113.200"), 429) << "all that come through the proxy are bounded as well";
  now += seconds(60);
  EXPECT_EQ(from("203.0.113.200"), 401);
}

TEST_F(AdminSignIn, WhatIsNoAddressCountsForThePeer) {
  auto local = request("POST", R"({"password":"guess"})");
  local.peer.ip = "127.0.0.1";
  for (int i = 0; i < 6; ++i) {
    local.headers.set("X-Forwarded-For", "unknown" + std::to_string(i));
    EXPECT_EQ(ask("login", local).status, i < 5 ? 401 : 429);
  }
}

TEST_F(AdminSignIn, NobodyElseMaySayForWhomHeAsks) {
  auto direct = request("POST", R"({"password":"guess"})");
  for (int i = 0; i < 6; ++i) {
    direct.headers.set("X-Forwarded-For", "198.51.100." + std::to_string(i));
    EXPECT_EQ(ask("login", direct).status, i < 5 ? 401 : 429);
  }
}

TEST_F(AdminSignIn, WithoutAConfiguredPasswordNobodyComesIn) {
  Admin closed(control, {});
  int status = 0;
  closed.handle("login", request("POST", R"({"password":""})"), [&](const Response& r) { status = r.status; });
  EXPECT_EQ(status, 401);
}

TEST_F(AdminSignIn, BodiesThatAreNoPasswordAre400) {
  for (const std::string_view body : {"", "{}", "[]", R"({"password":1})", "{"}) {
    EXPECT_EQ(ask("login", request("POST", std::string(body))).status, 400) << body;
  }
  EXPECT_EQ(login(std::string(5'000, 'x')).status, 400);
  EXPECT_EQ(ask("login", request("GET")).status, 405);
}

TEST_F(AdminSignIn, OverCleartextOnlyFromThisMachine) {
  auto clear = request("POST", R"({"password":"open sesame"})");
  clear.tls = nullptr;
  clear.headers = {{"Host", "example.com"}};
  EXPECT_EQ(ask("login", clear).status, 403);
  EXPECT_THAT(ask("login", clear).body, HasSubstr("over TLS"));
  clear.peer.ip = "127.0.0.1";
  const auto response = ask("login", clear);
  EXPECT_EQ(response.status, 200);
  const std::string field(response.headers.find("Set-Cookie").value_or(""));
  EXPECT_THAT(field, ::testing::StartsWith("fairlead-admin="));
  EXPECT_THAT(field, ::testing::Not(HasSubstr("Secure")));
  auto read = clear;
  read.method = "GET";
  read.headers.add("Cookie", field.substr(0, field.find(';')));
  EXPECT_EQ(ask("session", read).status, 200);
  read.peer.ip = "192.0.2.1";
  EXPECT_EQ(ask("session", read).status, 401);
}

TEST_F(AdminSignIn, SessionsEndByLogoutAndByTime) {
  sign_in();
  EXPECT_EQ(ask("session", request("GET")).status, 200);
  now += hours(8) - seconds(1);
  EXPECT_EQ(ask("session", request("GET")).status, 200);
  now += seconds(1);
  EXPECT_EQ(ask("session", request("GET")).status, 401);
  sign_in();
  const auto gone = ask("logout", request("POST"));
  EXPECT_EQ(gone.status, 204);
  EXPECT_THAT(std::string(gone.headers.find("Set-Cookie").value_or("")), HasSubstr("Max-Age=0"));
  EXPECT_EQ(ask("session", request("GET")).status, 401);
}

TEST_F(AdminSignIn, ANewPasswordEndsTheSessionsOfTheOldOne) {
  sign_in();
  admin->replace_password("open sesame");
  EXPECT_EQ(ask("session", request("GET")).status, 200) << "the same password changes nothing";
  admin->replace_password("another");
  EXPECT_EQ(ask("session", request("GET")).status, 401);
  EXPECT_EQ(login("open sesame").status, 401);
  EXPECT_EQ(login("another").status, 200);
  admin->replace_password("");
  EXPECT_EQ(login("").status, 401) << "no password lets nobody in";
}

TEST_F(AdminSignIn, SessionsAreBoundedAndTheOldestEnds) {
  SignIn sessions("p");
  const auto first = sessions.attempt("p", "a0", now).session;
  ASSERT_TRUE(first);
  for (std::size_t i = 1; i < SignIn::sessions; ++i) {
    EXPECT_TRUE(sessions.attempt("p", "a" + std::to_string(i), now).session);
  }
  EXPECT_TRUE(sessions.find(first->token, now));
  EXPECT_TRUE(sessions.attempt("p", "other", now).session);
  EXPECT_FALSE(sessions.find(first->token, now));
}

TEST_F(AdminSignIn, RememberedAddressesAreBounded) {
  SignIn sessions("p");
  for (std::size_t i = 0; i < SignIn::addresses; ++i) {
    EXPECT_EQ(sessions.attempt("x", std::to_string(i), now).refusal, SignIn::Refusal::wrong_password);
  }
  EXPECT_EQ(sessions.attempt("p", "new", now).refusal, SignIn::Refusal::too_many_attempts);
  EXPECT_TRUE(sessions.attempt("p", "0", now).session);
  EXPECT_TRUE(sessions.attempt("p", "new", now + std::chrono::minutes(1)).session);
}

TEST_F(AdminSignIn, AddressesOfOneIpv6NetworkCountAsOne) {
  SignIn sessions("p");
  for (int i = 0; i < 5; ++i) static_cast<void>(sessions.attempt("x", "2001:db8::" + std::to_string(i), now));
  EXPECT_EQ(sessions.attempt("p", "2001:db8::ffff", now).refusal, SignIn::Refusal::too_many_attempts);
  EXPECT_TRUE(sessions.attempt("p", "2001:db8:0:1::1", now).session);
}

TEST_F(AdminForgery, EverythingNeedsTheCookie) {
  for (const std::string_view path : {"session", "overview", "limits", "certificates"}) {
    EXPECT_EQ(ask(path, request("GET")).status, 401) << path;
  }
  EXPECT_EQ(ask("call/info", request("POST", "{}")).status, 401);
  cookie = "__Host-fairlead-admin=" + std::string(64, '0');
  EXPECT_EQ(ask("call/info", request("POST", "{}")).status, 401);
  EXPECT_THAT(control.asked, IsEmpty());
}

// A browser at https://example.com, a proxy on this machine that ends TLS, the cleartext listener.
struct AdminBehindAProxy : AdminPages {
  Request by_proxy(std::string method, std::string body = {}) const {
    Request made = request(std::move(method), std::move(body));
    made.tls = nullptr;
    made.peer.ip = "127.0.0.1";
    return made;
  }
};

TEST_F(AdminBehindAProxy, SignsInAndCalls) {
  const auto response = ask("login", by_proxy("POST", R"({"password":"open sesame"})"));
  ASSERT_EQ(response.status, 200);
  const std::string field(response.headers.find("Set-Cookie").value_or(""));
  EXPECT_TRUE(field.starts_with("fairlead-admin="));
  EXPECT_TRUE(field.ends_with("; Secure"));
  cookie = field.substr(0, field.find(';'));
  csrf = response.body.substr(9, 64);
  EXPECT_EQ(ask("call/info", by_proxy("POST", "{}")).status, 200);
  auto foreign = by_proxy("POST", "{}");
  foreign.headers.set("Origin", "https://evil.example");
  EXPECT_EQ(ask("call/info", foreign).status, 403);
}

TEST_F(AdminBehindAProxy, OnAnotherMachineIsToldWhatHelps) {
  auto remote = by_proxy("POST", R"({"password":"open sesame"})");
  remote.peer.ip = "192.0.2.7";
  const auto response = ask("login", remote);
  EXPECT_EQ(response.status, 403);
  EXPECT_THAT(response.body, HasSubstr("listen.secure"));
}

TEST_F(AdminAnswers, ErrorsOfCallsAreInTheBody) {
  sign_in();
  const auto response = ask("call/publish", request("POST", "{}"));
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr(R"({"error":{"code":107)"));
}

TEST_F(AdminForgery, CallsNeedTheTokenAndThisOrigin) {
  sign_in();
  EXPECT_EQ(ask("call/info", request("POST", "{}")).status, 200);
  auto foreign = request("POST", "{}");
  foreign.headers.set("Origin", "https://evil.example");
  EXPECT_EQ(ask("call/info", foreign).status, 403);
  foreign.headers.set("Origin", "http://example.com");
  EXPECT_EQ(ask("call/info", foreign).status, 403);
  foreign.headers.set("Origin", "null");
  EXPECT_EQ(ask("call/info", foreign).status, 403);
  auto no_token = request("POST", "{}");
  no_token.headers.remove("X-Fairlead-CSRF");
  EXPECT_EQ(ask("call/info", no_token).status, 403);
  no_token.headers.set("X-Fairlead-CSRF", std::string(64, '0'));
  EXPECT_EQ(ask("logout", no_token).status, 403);
  EXPECT_THAT(control.asked, ElementsAre("info"));
}

TEST_F(AdminForgery, AnotherSitesPageCannotSignIn) {
  auto foreign = request("POST", R"({"password":"open sesame"})");
  foreign.headers.set("Origin", "https://evil.example");
  EXPECT_EQ(ask("login", foreign).status, 403);
}

TEST_F(AdminAnswers, CallsGoThroughTheApi) {
  sign_in();
  const auto response = ask("call/publish", request("POST", R"({"channel":"news","data":1})"));
  EXPECT_EQ(response.body, R"({"result":{"offset":7,"epoch":"abcd"}})");
  EXPECT_THAT(control.asked, ElementsAre("publish news"));
  EXPECT_EQ(ask("call/nothing", request("POST", "{}")).status, 404);
  EXPECT_EQ(ask("call/info", request("GET")).status, 405);
  EXPECT_EQ(ask("elsewhere", request("GET")).status, 404);
}

TEST_F(AdminAnswers, OverviewHasTheNodeAndItsCertificates) {
  sign_in();
  control.node_stats.connections = 3;
  control.node_stats.publish_seconds_p99 = 0.25;
  const auto body = ask("overview", request("GET")).body;
  EXPECT_THAT(body, HasSubstr(R"("connections":3)"));
  EXPECT_THAT(body, HasSubstr(R"("publish_seconds_p99":0.25)"));
  EXPECT_THAT(body, HasSubstr(R"("certificate_days_left":3)"));
  EXPECT_THAT(body, ::testing::Not(HasSubstr("p50")));
  control.error = client_error::internal;
  EXPECT_EQ(ask("overview", request("GET")).status, 503);
}

TEST_F(AdminAnswers, LimitsAndCertificatesAreListed) {
  sign_in();
  EXPECT_EQ(ask("limits", request("GET")).body, R"({"limits":[{"name":"client.channel_limit","value":"128"}]})");
  EXPECT_THAT(ask("certificates", request("GET")).body,
              HasSubstr(R"({"subject":"CN=a","issuer":"CN=ca","file":"a.pem","not_after":3592000,"days_left":30,)"
                        R"("names":["a.example"]})"));
}

}  // namespace
}  // namespace fairlead::server

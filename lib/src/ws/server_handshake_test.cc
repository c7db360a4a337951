// SPDX-License-Identifier: Apache-2.0
#include "ws/server_handshake.h"

#include "http1/errors.h"
#include "ws/handshake_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

namespace fairlead::ws {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455 1.3

Request handshake() {
  Request request;
  request.method = "GET";
  request.target = request.path = "/chat";
  request.headers = {{"Host", "server.example.com"},
                     {"Upgrade", "websocket"},
                     {"Connection", "Upgrade"},
                     {"Sec-WebSocket-Key", key},
                     {"Sec-WebSocket-Version", "13"}};
  return request;
}
Request with(std::string_view name, std::string_view value) {
  Request request = handshake();
  request.headers.set(name, value);
  return request;
}
Request with_also(std::string_view name, std::string_view value) {
  Request request = handshake();
  request.headers.add(name, value);
  return request;
}
Request without(std::string_view name) {
  Request request = handshake();
  request.headers.remove(name);
  return request;
}

TEST(ServerHandshake, ExampleOfTheRfc) {
  EXPECT_EQ(accept_value(key), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_TRUE(is_upgrade(handshake()));
  auto request = with("Sec-WebSocket-Protocol", "chat, superchat");
  const auto offer = read_offer(request);
  ASSERT_TRUE(offer) << to_string(offer.error());
  EXPECT_THAT(offer->subprotocols, ElementsAre("chat", "superchat"));
  const auto accepted = accept_offer(*offer, {.subprotocol = "chat", .deflate = {}, .headers = {}});
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->response.status, 101);
  EXPECT_EQ(accepted->response.headers.find("Upgrade"), "websocket");
  EXPECT_EQ(accepted->response.headers.find("Connection"), "Upgrade");
  EXPECT_EQ(accepted->response.headers.find("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(accepted->response.headers.find("Sec-WebSocket-Protocol"), "chat");
  EXPECT_FALSE(accepted->response.headers.contains("Sec-WebSocket-Extensions"));
  EXPECT_FALSE(accepted->deflate);
}

TEST(ServerHandshake, TokensAreReadWithoutCaseAndFromLists) {
  for (const auto& request :
       {with("Upgrade", "WebSocket"), with("Upgrade", "h2c, websocket"), with("Connection", "keep-alive, Upgrade"),
        with("Connection", "UPGRADE"), with_also("Connection", "keep-alive"),
        with("Sec-WebSocket-Key", " " + std::string(key))}) {
    EXPECT_TRUE(read_offer(request));
  }
}

struct Refused {
  std::string_view why;
  Request request;
  Errc code;
  int status;
};

TEST(ServerHandshake, RefusesWhateverBreaksAMust) {
  auto post = handshake();
  post.method = "POST";
  auto lower_case = handshake();
  lower_case.method = "get";
  auto old = handshake();
  old.version = HttpVersion::http_1_0;
  auto body = handshake();
  body.body = "x";
  const Refused table[] = {
      {"POST", post, Errc::handshake_bad_method, 405},
      {"get", lower_case, Errc::handshake_bad_method, 405},
      {"HTTP/1.0", old, Errc::handshake_bad_upgrade, 426},
      {"a body", body, Errc::http_malformed, 400},
      {"no Host", without("Host"), Errc::http_host_invalid, 400},
      {"no Upgrade", without("Upgrade"), Errc::handshake_bad_upgrade, 426},
      {"another Upgrade", with("Upgrade", "h2c"), Errc::handshake_bad_upgrade, 426},
      {"Upgrade within text", with("Upgrade", "websockets"), Errc::handshake_bad_upgrade, 426},
      {"Upgrade with a version", with("Upgrade", "websocket/13"), Errc::handshake_bad_upgrade, 426},
      {"no Connection", without("Connection"), Errc::handshake_bad_connection, 400},
      {"another Connection", with("Connection", "keep-alive"), Errc::handshake_bad_connection, 400},
      {"Connection within text", with("Connection", "upgraded"), Errc::handshake_bad_connection, 400},
      {"no version", without("Sec-WebSocket-Version"), Errc::handshake_bad_version, 426},
      {"version 12", with("Sec-WebSocket-Version", "12"), Errc::handshake_bad_version, 426},
      {"version 013", with("Sec-WebSocket-Version", "013"), Errc::handshake_bad_version, 426},
      {"a list of versions", with("Sec-WebSocket-Version", "13, 8"), Errc::handshake_bad_version, 426},
      {"two versions", with_also("Sec-WebSocket-Version", "13"), Errc::handshake_bad_version, 426},
      {"no key", without("Sec-WebSocket-Key"), Errc::handshake_bad_key, 400},
      {"two keys", with_also("Sec-WebSocket-Key", key), Errc::handshake_bad_key, 400},
      {"an empty key", with("Sec-WebSocket-Key", ""), Errc::handshake_bad_key, 400},
      {"15 bytes", with("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAA"), Errc::handshake_bad_key, 400},
      {"17 bytes", with("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAAA="), Errc::handshake_bad_key, 400},
      {"no padding", with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ"), Errc::handshake_bad_key, 400},
      {"bits left over", with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZR=="), Errc::handshake_bad_key, 400},
      {"no base64", with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j!Q=="), Errc::handshake_bad_key, 400},
      {"an empty protocol", with("Sec-WebSocket-Protocol", ""), Errc::handshake_bad_subprotocol, 400},
      {"a protocol with a space", with("Sec-WebSocket-Protocol", "a b"), Errc::handshake_bad_subprotocol, 400},
      {"a protocol twice", with("Sec-WebSocket-Protocol", "a, b, a"), Errc::handshake_bad_subprotocol, 400},
      {"a quoted protocol", with("Sec-WebSocket-Protocol", "\"a\""), Errc::handshake_bad_subprotocol, 400},
      {"a broken extension", with("Sec-WebSocket-Extensions", "a;"), Errc::handshake_bad_extension, 400},
      {"an open quote", with("Sec-WebSocket-Extensions", "a;b=\"c"), Errc::handshake_bad_extension, 400},
  };
  for (const auto& row : table) {
    const auto offer = read_offer(row.request);
    ASSERT_FALSE(offer) << row.why;
    EXPECT_EQ(offer.error().code, row.code) << row.why;
    EXPECT_EQ(http1::status_for(offer.error().code), row.status) << row.why;
  }
}

TEST(ServerHandshake, ProtocolsMayBeSpreadOverFieldsButNotRepeated) {
  auto request = with_also("Sec-WebSocket-Protocol", "a");
  request.headers.add("sec-websocket-protocol", "b,c");
  EXPECT_THAT(read_offer(request)->subprotocols, ElementsAre("a", "b", "c"));
  request.headers.add("Sec-WebSocket-Protocol", "a");
  EXPECT_EQ(read_offer(request).error().code, Errc::handshake_bad_subprotocol);
  EXPECT_THAT(read_offer(with("Sec-WebSocket-Protocol", "a, A"))->subprotocols, ElementsAre("a", "A"));
}

TEST(ServerHandshake, UpgradeIsIgnoredInHttp10) {
  auto old = handshake();
  old.version = HttpVersion::http_1_0;
  EXPECT_FALSE(is_upgrade(old));
  EXPECT_FALSE(is_upgrade(without("Upgrade")));
  EXPECT_TRUE(is_upgrade(with("Upgrade", "h2c, WebSocket")));
}

TEST(ServerHandshake, CompressesOnlyWhenBothWantIt) {
  const auto offer = read_offer(with("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"));
  ASSERT_TRUE(offer);
  EXPECT_FALSE(accept_offer(*offer, {})->deflate) << "off by default";
  const auto accepted = accept_offer(*offer, {.subprotocol = {}, .deflate = DeflateOptions{}, .headers = {}});
  ASSERT_TRUE(accepted && accepted->deflate);
  EXPECT_EQ(accepted->response.headers.find("Sec-WebSocket-Extensions"), "permessage-deflate");
  const auto plain =
      accept_offer(*read_offer(handshake()), {.subprotocol = {}, .deflate = DeflateOptions{}, .headers = {}});
  EXPECT_FALSE(plain->deflate);
  EXPECT_FALSE(plain->response.headers.contains("Sec-WebSocket-Extensions"));
}

TEST(ServerHandshake, ChoiceMustBeOneOfTheOffered) {
  const auto offer = read_offer(with("Sec-WebSocket-Protocol", "chat"));
  for (const auto* chosen : {"Chat", "superchat", "chat\r\nX: y"}) {
    const auto accepted = accept_offer(*offer, {.subprotocol = chosen, .deflate = {}, .headers = {}});
    ASSERT_FALSE(accepted) << chosen;
    EXPECT_EQ(accepted.error().code, Errc::invalid_argument);
  }
}

TEST(ServerHandshake, FurtherFieldsMustNotTouchTheHandshake) {
  const auto offer = read_offer(handshake());
  for (const auto* name : {"Sec-WebSocket-Accept", "sec-websocket-protocol", "SEC-WEBSOCKET-EXTENSIONS", "Upgrade",
                           "connection", "Content-Length", "Transfer-Encoding"}) {
    EXPECT_FALSE(accept_offer(*offer, {.subprotocol = {}, .deflate = {}, .headers = {{name, "x"}}})) << name;
  }
  const auto accepted = accept_offer(*offer, {.subprotocol = {}, .deflate = {}, .headers = {{"Set-Cookie", "a=b"}}});
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->response.headers.find("Set-Cookie"), "a=b");
}

// CVE-2021-32640, CVE-2020-7662: hostile lists cost what their length costs.
TEST(ServerHandshake, HostileListsTakeLinearTime) {
  constexpr std::size_t million = 1'000'000;
  std::string distinct;
  std::string offers;
  for (int i = 0; i < 100'000; ++i) distinct += "p" + std::to_string(i) + ",";
  for (int i = 0; i < 20'000; ++i) offers += "permessage-deflate; client_max_window_bits; a=b,";
  const std::string corpus[] = {distinct,
                                offers,
                                std::string(million, ','),
                                std::string(million, ' ') + "a",
                                "a" + std::string(million, ' ') + "b",
                                "a; b=\"" + std::string(million, '\\')};
  const std::clock_t began = std::clock();  // of this process: a busy machine must not look like quadratic work
  for (const auto& value : corpus) {
    for (const auto* name : {"Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Upgrade", "Connection"}) {
      const auto offer = read_offer(with(name, value));
      if (offer) {
        EXPECT_TRUE(accept_offer(*offer, {.subprotocol = {}, .deflate = DeflateOptions{}, .headers = {}}));
      }
    }
  }
  EXPECT_LT(std::clock() - began, 20 * CLOCKS_PER_SEC);
}

}  // namespace
}  // namespace fairlead::ws

// SPDX-License-Identifier: Apache-2.0
#include "net/kept_request.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace fairlead::net {
namespace {

Request whole_request(std::size_t value_bytes) {
  Request request;
  request.method = "GET";
  request.target = "/a%20b?token=x";
  request.path = "/a b";
  request.query = "token=x";
  request.version = HttpVersion::http_1_0;
  request.headers.add("Host", "example.org:8443");
  request.headers.add("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
  request.headers.add("X-Long", std::string(value_bytes, 'v'));
  request.headers.add("Empty", "");
  request.body = "body";
  request.peer = {.ip = "2001:db8::1", .port = 65'535, .path = "/run/peer.sock"};
  request.tls = std::make_shared<const TlsInfo>();
  return request;
}

void expect_same(const Request& kept, const Request& request) {
  EXPECT_EQ(kept.method, request.method);
  EXPECT_EQ(kept.target, request.target);
  EXPECT_EQ(kept.path, request.path);
  EXPECT_EQ(kept.query, request.query);
  EXPECT_EQ(kept.version, request.version);
  EXPECT_EQ(kept.body, request.body);
  EXPECT_EQ(kept.peer.ip, request.peer.ip);
  EXPECT_EQ(kept.peer.port, request.peer.port);
  EXPECT_EQ(kept.peer.path, request.peer.path);
  EXPECT_EQ(kept.tls, request.tls);
}

TEST(KeptRequest, ComesBackAsItWas) {
  for (const std::size_t value_bytes : {0U, 1U, 126U, 127U, 128U, 129U, 16'383U, 16'384U, 70'000U}) {
    const Request request = whole_request(value_bytes);
    KeptRequest kept(request, KeptRequest::Fields::all);
    expect_same(kept.get(), request);
    const Headers& headers = kept.get().headers;
    ASSERT_EQ(headers.size(), request.headers.size());
    for (auto left = headers.begin(), right = request.headers.begin(); left != headers.end(); ++left, ++right) {
      EXPECT_EQ(left->name, right->name);
      EXPECT_EQ(left->value, right->value);
    }
  }
}

TEST(KeptRequest, FieldsOfTheHandshakeAreLeftOutWhateverTheirCase) {
  KeptRequest kept(whole_request(3), KeptRequest::Fields::without_handshake);
  EXPECT_FALSE(kept.get().headers.contains("Sec-WebSocket-Key"));
  EXPECT_EQ(kept.get().headers.size(), 3U);
  EXPECT_EQ(kept.get().headers.find("X-Long"), "vvv");
}

TEST(KeptRequest, StaysInPlaceOnceItWasAskedFor) {
  KeptRequest kept(whole_request(3), KeptRequest::Fields::all);
  const Request* first = &kept.get();
  EXPECT_EQ(first, &kept.get());
}

TEST(KeptRequest, NoneIsAnEmptyRequest) {
  KeptRequest none;
  EXPECT_TRUE(none.get().method.empty());
  EXPECT_TRUE(none.get().peer.is_unix());
}

}  // namespace
}  // namespace fairlead::net

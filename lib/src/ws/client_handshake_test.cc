// SPDX-License-Identifier: Apache-2.0
#include "ws/client_handshake.h"

#include "base/entropy.h"
#include "http1/request_reader.h"
#include "http1/writer.h"
#include "text/base64.h"
#include "ws/handshake_fields.h"
#include "ws/server_handshake.h"

#include <gtest/gtest.h>

#include <set>

namespace fairlead::ws {
namespace {

using std::chrono::seconds;

Url address(std::string_view text = "wss://example.org/chat?a=b") { return *parse_url(text); }

ClientHandshakeOptions full_options() {
  return {.subprotocols = {"chat", "superchat"},
          .origin = "https://example.org",
          .deflate = DeflateOptions{},
          .headers = {{"Authorization", "Bearer x"}}};
}

ClientHandshake start(const ClientHandshakeOptions& options = full_options()) {
  SeededEntropy entropy(1);
  auto handshake = ClientHandshake::start(address(), options, entropy);
  EXPECT_TRUE(handshake);
  return *handshake;
}

Response answer_to(const ClientHandshake& handshake) {
  Response response;
  response.status = 101;
  response.headers = {{"Upgrade", "websocket"},
                      {"Connection", "Upgrade"},
                      {"Sec-WebSocket-Accept", accept_value(*handshake.request().headers.find("Sec-WebSocket-Key"))}};
  return response;
}

TEST(ClientHandshake, SendsEveryFieldOfTheRfc) {
  const auto handshake = start();
  const auto& request = handshake.request();
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/chat?a=b");
  const auto& headers = request.headers;
  EXPECT_EQ(headers.find("Host"), "example.org");
  EXPECT_EQ(headers.find("Upgrade"), "websocket");
  EXPECT_EQ(headers.find("Connection"), "Upgrade");
  EXPECT_EQ(headers.find("Sec-WebSocket-Version"), "13");
  EXPECT_EQ(headers.find("Origin"), "https://example.org");
  EXPECT_EQ(headers.find("Sec-WebSocket-Protocol"), "chat, superchat");
  EXPECT_EQ(headers.find("Sec-WebSocket-Extensions"), "permessage-deflate; client_max_window_bits");
  EXPECT_EQ(headers.find("Authorization"), "Bearer x");
  const auto plain = start({});
  for (const auto* name : {"Origin", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"}) {
    EXPECT_FALSE(plain.request().headers.contains(name)) << name;
  }
}

TEST(ClientHandshake, KeyIsSixteenFreshBytes) {
  SeededEntropy entropy(2);
  std::set<std::string> keys;
  for (int i = 0; i < 1'000; ++i) {
    const auto handshake = ClientHandshake::start(address(), {}, entropy);
    const std::string key(*handshake->request().headers.find("Sec-WebSocket-Key"));
    EXPECT_EQ(text::decode_base64(key)->size(), 16U);
    keys.insert(key);
  }
  EXPECT_EQ(keys.size(), 1'000U);
}

// CVE-2026-1527: whatever text the application passes, the head has the lines that we wrote.
TEST(ClientHandshake, RefusesTextsThatCannotStandInTheHead) {
  SeededEntropy entropy(3);
  std::vector<ClientHandshakeOptions> evil;
  for (const auto* protocol : {"", "a b", "a,b", "a\r\nX: y", "\xc3\xa9", "a\"b"}) {
    evil.push_back({.subprotocols = {protocol}, .origin = {}, .deflate = {}, .headers = {}});
  }
  evil.push_back({.subprotocols = {"a", "b", "a"}, .origin = {}, .deflate = {}, .headers = {}});
  evil.push_back({.subprotocols = {}, .origin = "https://a\r\nX: y", .deflate = {}, .headers = {}});
  for (const auto* name : {"Host", "upgrade", "Connection", "Sec-WebSocket-Key", "sec-websocket-version",
                           "Content-Length", "Transfer-Encoding", "Sec-WebSocket-Protocol"}) {
    evil.push_back({.subprotocols = {}, .origin = {}, .deflate = {}, .headers = {{name, "x"}}});
  }
  for (const auto& options : evil) {
    const auto handshake = ClientHandshake::start(address(), options, entropy);
    ASSERT_FALSE(handshake);
    EXPECT_EQ(handshake.error().code, Errc::invalid_argument);
  }
  EXPECT_FALSE(ClientHandshake::start(address("https://example.org/"), {}, entropy));
}

TEST(ClientHandshake, TakesAMinimalAnswer) {
  const auto handshake = start();
  const auto agreement = handshake.check_response(answer_to(handshake), HttpVersion::http_1_1);
  ASSERT_TRUE(agreement) << to_string(agreement.error());
  EXPECT_EQ(agreement->subprotocol, "");
  EXPECT_FALSE(agreement->deflate);
}

TEST(ClientHandshake, FailsOnWhateverBreaksAMust) {
  const auto handshake = start();
  const auto accept = accept_value(*handshake.request().headers.find("Sec-WebSocket-Key"));
  enum class How : std::uint8_t { set, add, remove };
  const struct {
    How how;
    std::string name;
    std::string value;
    Errc code;
  } table[] = {
      {How::remove, "Upgrade", "", Errc::handshake_bad_upgrade},
      {How::set, "Upgrade", "h2c", Errc::handshake_bad_upgrade},
      {How::set, "Upgrade", "websocket, h2c", Errc::handshake_bad_upgrade},
      {How::add, "Upgrade", "websocket", Errc::handshake_bad_upgrade},
      {How::remove, "Connection", "", Errc::handshake_bad_connection},
      {How::set, "Connection", "keep-alive", Errc::handshake_bad_connection},
      {How::remove, "Sec-WebSocket-Accept", "", Errc::handshake_bad_accept},
      {How::set, "Sec-WebSocket-Accept", "", Errc::handshake_bad_accept},
      {How::set, "Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", Errc::handshake_bad_accept},
      {How::set, "Sec-WebSocket-Accept", accept.substr(0, accept.size() - 1), Errc::handshake_bad_accept},
      {How::set, "Sec-WebSocket-Accept", accept + "=", Errc::handshake_bad_accept},
      {How::add, "Sec-WebSocket-Accept", accept, Errc::handshake_bad_accept},
      {How::add, "Sec-WebSocket-Protocol", "other", Errc::handshake_bad_subprotocol},
      {How::add, "Sec-WebSocket-Protocol", "Chat", Errc::handshake_bad_subprotocol},
      {How::add, "Sec-WebSocket-Protocol", "", Errc::handshake_bad_subprotocol},
      {How::add, "Sec-WebSocket-Protocol", "chat, superchat", Errc::handshake_bad_subprotocol},
      {How::add, "Sec-WebSocket-Extensions", "x-unasked", Errc::handshake_bad_extension},
      {How::add, "Sec-WebSocket-Extensions", "permessage-deflate, x-unasked", Errc::handshake_bad_extension},
      {How::add, "Sec-WebSocket-Extensions", "permessage-deflate, permessage-deflate", Errc::handshake_bad_extension},
      {How::add, "Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits=7",
       Errc::handshake_bad_extension},
      {How::add, "Sec-WebSocket-Extensions", "permessage-deflate;", Errc::handshake_bad_extension},
  };
  for (const auto& row : table) {
    Response response = answer_to(handshake);
    if (row.how == How::set) response.headers.set(row.name, row.value);
    if (row.how == How::add) response.headers.add(row.name, row.value);
    if (row.how == How::remove) response.headers.remove(row.name);
    const auto agreement = handshake.check_response(response, HttpVersion::http_1_1);
    ASSERT_FALSE(agreement) << row.name << ": " << row.value;
    EXPECT_EQ(agreement.error().code, row.code) << row.name << ": " << row.value;
  }
}

TEST(ClientHandshake, A101OfHttp10SwitchesNothing) {  // RFC 9110 15.2
  const auto handshake = start();
  const auto agreement = handshake.check_response(answer_to(handshake), HttpVersion::http_1_0);
  ASSERT_FALSE(agreement);
  EXPECT_EQ(agreement.error().code, Errc::http_unsupported_version);
  EXPECT_NE(agreement.error().detail.find("RFC 9110 15.2"), std::string::npos);
}

TEST(ClientHandshake, A101MaySayThatItsBodyIsEmpty) {  // which RFC 9110 8.6 forbids it, and which does no harm
  const auto handshake = start();
  Response response = answer_to(handshake);
  response.headers.add("Content-Length", "0");
  EXPECT_TRUE(handshake.check_response(response, HttpVersion::http_1_1));
  response.headers.add("Content-Length", "5");
  EXPECT_FALSE(handshake.check_response(response, HttpVersion::http_1_1));
}

TEST(ClientHandshake, A101AnnouncesNoBody) {
  const auto handshake = start();
  for (const auto& [name, value, rule] :
       {std::tuple{"Content-Length", "", "RFC 9110 8.6"}, std::tuple{"content-length", "5", "RFC 9110 8.6"},
        std::tuple{"Transfer-Encoding", "chunked", "RFC 9112 6.1"}}) {
    Response response = answer_to(handshake);
    response.headers.add(name, value);
    const auto agreement = handshake.check_response(response, HttpVersion::http_1_1);
    ASSERT_FALSE(agreement) << name;
    EXPECT_EQ(agreement.error().code, Errc::http_malformed) << name;
    EXPECT_NE(agreement.error().detail.find(rule), std::string::npos) << agreement.error().detail;
  }
}

TEST(ClientHandshake, FailsOnAnythingThatWasNotOffered) {
  const auto handshake = start({});
  for (const auto& [name, value, code] :
       {std::tuple{"Sec-WebSocket-Protocol", "chat", Errc::handshake_bad_subprotocol},
        std::tuple{"Sec-WebSocket-Extensions", "permessage-deflate", Errc::handshake_bad_extension}}) {
    Response response = answer_to(handshake);
    response.headers.add(name, value);
    EXPECT_EQ(handshake.check_response(response, HttpVersion::http_1_1).error().code, code);
  }
}

TEST(ClientHandshake, OtherStatusesAreRefusals) {
  const auto handshake = start();
  for (const int status : {200, 204, 301, 400, 401, 403, 404, 426, 429, 500, 503}) {
    Response response = answer_to(handshake);
    response.status = status;
    EXPECT_EQ(handshake.check_response(response, HttpVersion::http_1_1).error().code, Errc::handshake_refused)
        << status;
    EXPECT_EQ(read_refusal(response, {})->status, status);
  }
  EXPECT_FALSE(read_refusal(answer_to(handshake), {}));
}

TEST(Refusal, SaysWhenAndWhere) {
  const std::chrono::sys_seconds now{seconds(784111777)};
  const auto wait = [&](std::string_view retry_after) {
    Response response = Response::empty(503);
    response.headers.add("Retry-After", retry_after);
    return read_refusal(response, now)->retry_after;
  };
  EXPECT_EQ(wait("120"), seconds(120));
  EXPECT_EQ(wait("0"), seconds(0));
  EXPECT_EQ(wait("Sun, 06 Nov 1994 08:49:40 GMT"), seconds(3));
  EXPECT_EQ(wait("Sun, 06 Nov 1994 08:00:00 GMT"), seconds(0)) << "in the past";
  EXPECT_EQ(wait("18446744073709551615"), seconds(std::chrono::years(1)));
  EXPECT_EQ(wait("Fri, 31 Dec 9999 23:59:59 GMT"), seconds(std::chrono::years(1)));
  for (const auto* text : {"", "-1", "soon", "1.5", "184467440737095516160"})
    EXPECT_EQ(wait(text), std::nullopt) << text;
  EXPECT_EQ(read_refusal(Response::redirect("https://other/"), now)->location, "https://other/");
}

// Both halves over real bytes: the server reads what the client wrote, and the client accepts what the server chose.
TEST(Handshake, BothHalvesMeet) {
  const auto client = start();
  Buffer wire;
  ASSERT_TRUE(http1::write_request(client.request(), wire));
  const Limits limits;
  http1::RequestReader reader(limits, TimePoint{});
  reader.receive(wire.readable(), TimePoint{});
  const auto event = reader.next_event();
  ASSERT_TRUE(event);
  const auto offer = read_offer(std::get<http1::RequestEvent>(*event).request);
  ASSERT_TRUE(offer) << to_string(offer.error());
  const auto accepted =
      accept_offer(*offer, {.subprotocol = "superchat", .deflate = DeflateOptions{12, 13, false, true}, .headers = {}});
  ASSERT_TRUE(accepted);
  const auto agreement = client.check_response(accepted->response, HttpVersion::http_1_1);
  ASSERT_TRUE(agreement) << to_string(agreement.error());
  EXPECT_EQ(agreement->subprotocol, "superchat");
  ASSERT_TRUE(agreement->deflate);
  EXPECT_EQ(agreement->deflate->our_window_bits, 13);
  EXPECT_EQ(accepted->deflate->our_window_bits, 12);
  EXPECT_FALSE(agreement->deflate->their_context_takeover);
}

}  // namespace
}  // namespace fairlead::ws

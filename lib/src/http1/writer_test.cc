// SPDX-License-Identifier: Apache-2.0
#include "http1/writer.h"

#include "http1/errors.h"
#include "http1/request_reader.h"
#include "http1/response_reader.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace fairlead::http1 {
namespace {

std::string text_of(const Response& response, const ResponseContext& context) {
  Buffer out;
  write_response(response, context, out);
  return std::string(as_text(out.readable()));
}

Request request(std::string method, Headers headers = {}, HttpVersion version = HttpVersion::http_1_1) {
  Request made;
  made.method = std::move(method);
  made.target = "/";
  made.version = version;
  made.headers = std::move(headers);
  return made;
}

TEST(ResponseWriter, WritesHeadAndBody) {
  const ResponseContext context{.head_only = false,
                                .keep_alive = true,
                                .version = HttpVersion::http_1_1,
                                .date = std::chrono::sys_seconds(std::chrono::seconds(784111777))};
  EXPECT_EQ(text_of(Response::text(404, "no"), context),
            "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n\r\nno");
}

TEST(ResponseWriter, HeadSaysTheLengthButSendsNothing) {
  ResponseContext context;
  context.head_only = true;
  EXPECT_EQ(
      text_of(Response::text(200, "abc"), context),
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\nConnection: close\r\n\r\n");
}

TEST(ResponseWriter, NoBodyWhereTheStatusForbidsOne) {
  for (const int status : {100, 101, 103, 204, 304}) {
    const auto text = text_of(Response::text(status, "abc"), {});
    EXPECT_TRUE(text.ends_with("\r\n\r\n")) << text;
    EXPECT_EQ(text.find("Content-Length"), std::string::npos) << text;
  }
}

TEST(ResponseWriter, ConnectionField) {
  ResponseContext context{.head_only = false, .keep_alive = true, .version = HttpVersion::http_1_1, .date = {}};
  EXPECT_EQ(text_of(Response::empty(200), context), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  context.version = HttpVersion::http_1_0;
  EXPECT_EQ(text_of(Response::empty(200), context),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
  context.keep_alive = false;
  EXPECT_EQ(text_of(Response::empty(200), context),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST(ResponseWriter, ApplicationCannotContradictTheFraming) {
  Response response = Response::empty(200);
  response.headers.add("content-length", "99");
  response.headers.add("Transfer-Encoding", "chunked");
  response.headers.add("Connection", "upgrade");
  response.headers.add("X", "y");
  EXPECT_EQ(text_of(response, {}), "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST(ResponseWriter, FileIsLeftToTheDriver) {
  Response response = Response::empty(206);
  response.file.emplace(::open("/dev/null", O_RDONLY | O_CLOEXEC), 5, 1234);
  EXPECT_TRUE(text_of(response, {}).ends_with("Content-Length: 1234\r\nConnection: close\r\n\r\n"));
  EXPECT_TRUE(has_body(response, {}));
  ResponseContext head;
  head.head_only = true;
  EXPECT_FALSE(has_body(response, head));
}

TEST(KeepAlive, FollowsVersionAndConnection) {
  constexpr auto old = HttpVersion::http_1_0;
  EXPECT_TRUE(keeps_alive(request("GET")));
  EXPECT_FALSE(keeps_alive(request("GET", {{"Connection", "x, Close"}})));
  EXPECT_FALSE(keeps_alive(request("GET", {{"Connection", "keep-alive"}, {"Connection", "close"}})));
  EXPECT_FALSE(keeps_alive(request("GET", {}, old)));
  EXPECT_TRUE(keeps_alive(request("GET", {{"Connection", "Keep-Alive"}}, old)));
  EXPECT_TRUE(context_of(request("HEAD")).head_only);
}

TEST(RequestWriter, WhatIsWrittenIsReadBack) {
  auto written = request("POST", {{"Host", "h"}, {"X-A", "1"}, {"X-A", "2"}});
  written.target = "/a?b=c";
  written.body = "body";
  Buffer out;
  ASSERT_TRUE(write_request(written, out));
  const Limits limits;
  RequestReader reader(limits, TimePoint{});
  reader.receive(out.readable(), TimePoint{});
  const auto event = reader.next_event();
  ASSERT_TRUE(event);
  const auto& read = std::get<RequestEvent>(*event).request;
  EXPECT_EQ(read.target, written.target);
  EXPECT_EQ(read.body, "body");
  EXPECT_EQ(read.headers.count("X-A"), 2U);
}

// CVE-2026-1527: no text of the application may become a line of its own.
TEST(RequestWriter, RefusesInjectedLines) {
  for (const auto* target : {"", "/a b", "/\r\nX: y", "/\n", "/\x01", "/\x7f", "/\xc3\xa9"}) {
    auto evil = request("GET");
    evil.target = target;
    Buffer out;
    const auto written = write_request(evil, out);
    ASSERT_FALSE(written) << target;
    EXPECT_EQ(written.error().code, Errc::invalid_argument);
    EXPECT_TRUE(out.empty());
  }
  for (const auto* method : {"", "GET /", "GE\r\nT", "G(T"}) {
    Buffer out;
    EXPECT_FALSE(write_request(request(method), out)) << method;
    EXPECT_TRUE(out.empty());
  }
}

TEST(ErrorResponse, CarriesTheFieldsThatItsStatusDemands) {
  const auto version = error_response({Errc::handshake_bad_version, "the version must be 13"});
  EXPECT_EQ(version.status, 426);
  EXPECT_EQ(version.headers.find("Sec-WebSocket-Version"), "13");
  EXPECT_EQ(version.headers.find("Upgrade"), "websocket");
  EXPECT_EQ(error_response({Errc::handshake_bad_method, ""}).headers.find("Allow"), "GET");
  EXPECT_TRUE(error_response({Errc::draining, ""}).headers.contains("Retry-After"));
}

TEST(ErrorResponse, AnUpgradeFieldIsNamedByConnection) {  // RFC 9110 7.8
  const auto version = error_response({Errc::handshake_bad_version, "the version must be 13"});
  EXPECT_NE(text_of(version, {}).find("\r\nConnection: close, Upgrade\r\n"), std::string::npos);
  ResponseContext stays{.head_only = false, .keep_alive = true, .version = HttpVersion::http_1_1, .date = {}};
  EXPECT_NE(text_of(version, stays).find("\r\nConnection: Upgrade\r\n"), std::string::npos);
  stays.version = HttpVersion::http_1_0;
  EXPECT_NE(text_of(version, stays).find("\r\nConnection: keep-alive, Upgrade\r\n"), std::string::npos);
}

TEST(ErrorResponse, KeepsInnerFailuresToItself) {
  EXPECT_EQ(error_response({Errc::system, "/etc/secret: permission denied"}).body, "internal error\n");
}

TEST(ErrorResponse, EveryErrorHasAnErrorStatusThatCanBeRead) {
  for (int code = 0; code <= static_cast<int>(Errc::outgoing_queue_full); ++code) {
    const auto response = error_response({static_cast<Errc>(code), "x"});
    EXPECT_TRUE(response.status >= 400 && response.status < 600);
    Buffer out;
    write_response(response, {}, out);
    const Limits limits;
    ResponseReader reader(limits, ResponseReader::Body::read, TimePoint{});
    reader.receive(out.readable(), TimePoint{});
    const auto event = reader.next_event();
    ASSERT_TRUE(event);
    EXPECT_EQ(std::get<ResponseEvent>(*event).response.body, response.body);
  }
}

}  // namespace
}  // namespace fairlead::http1

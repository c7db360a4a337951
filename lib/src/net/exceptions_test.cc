// SPDX-License-Identifier: Apache-2.0
// Whatever the application throws, of whatever type, ends an answer or a connection, and never the server.
#include "net/log_lines_testing.h"
#include "net/raw_peer_testing.h"
#include "net/testing.h"

#include <fairlead/client.h>
#include <fairlead/server.h>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace fairlead {
namespace {

using net::testing::client_options;
using net::testing::LogLines;
using net::testing::PlainServer;
using net::testing::RawPeer;
using net::testing::TestServer;

Task<Response> throw_later(const Request&) {
  static_cast<void>(co_await sleep_for(std::chrono::milliseconds(1)));
  throw 1;
}

TEST(Exceptions, CanNeitherEndALogLineNorFillTheLog) {
  LogLines lines;
  PlainServer server(
      [](Server& s) {
        s.http("/", [](const Request&) -> Response { throw std::runtime_error("a\r\nb\x7f" + std::string(999, 'w')); });
      },
      {.log = lines.sink()});
  RawPeer peer(server.port());
  ASSERT_TRUE(peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  peer.read_until("Internal Server Error\n");
  EXPECT_EQ(lines.with(R"(threw: a\x0d\x0ab\x7fwww)"), 1) << lines.all();
  EXPECT_EQ(lines.with(std::string(195, 'w')), 1) << lines.all();
  EXPECT_EQ(lines.with(std::string(196, 'w')), 0) << lines.all();
}

TEST(Exceptions, OfAnHttpHandlerBecomeA500) {
  LogLines lines;
  PlainServer server(
      [](Server& s) {
        s.http("/now", [](const Request&) -> Response { throw 1; });
        s.http("/named", [](const Request&) -> Response { throw std::runtime_error("no database"); });
        s.http_async("/later", throw_later);
      },
      {.log = lines.sink()});
  for (const std::string path : {"/now", "/named", "/later"}) {
    RawPeer peer(server.port());
    ASSERT_TRUE(peer.send("GET " + path + "?token=secret HTTP/1.1\r\nHost: x\r\n\r\n"));
    const std::string answer = peer.read_until("Internal Server Error\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 ")) << path << ": " << answer;
    EXPECT_EQ(answer.find("database"), std::string::npos) << "what failed inside is nobody's business outside";
  }
  EXPECT_EQ(server.server().stats().failed(Errc::system), 3U);
  EXPECT_EQ(lines.with("path=/now system: an HTTP handler threw"), 1);
  EXPECT_EQ(lines.with("path=/named system: an HTTP handler threw: no database"), 1);
  EXPECT_EQ(lines.with("path=/later system: an HTTP handler threw"), 1);
  EXPECT_EQ(lines.with("secret"), 0);
}

TEST(Exceptions, OfAnAcceptHookRefuseWith500) {
  LogLines lines;
  TestServer server(
      [](Server& s) {
        const auto swallow = [](Connection& ws) -> Task<> { static_cast<void>(co_await ws.receive()); };
        RouteOptions now;
        now.accept = [](const Request&) -> Decision { throw 1; };
        RouteOptions later;
        later.accept_async = [](const Request&) -> Task<Decision> {
          static_cast<void>(co_await sleep_for(std::chrono::milliseconds(1)));
          throw 1;
        };
        s.websocket("/now", swallow, now);
        s.websocket("/later", swallow, later);
      },
      {.log = lines.sink()});
  run([&]() -> Task<> {
    for (const auto* path : {"/now", "/later"}) {
      const auto refused = co_await connect(server.url(path), client_options());
      EXPECT_FALSE(refused) << path;
      if (refused) continue;
      EXPECT_EQ(refused.error().status, 500) << path;
    }
  });
  EXPECT_EQ(server.server().stats().failed(Errc::system), 2U);
  EXPECT_EQ(lines.with("system: an accept hook threw"), 2);
}

TEST(Exceptions, OfPostedWorkCloseItsConnection) {
  TestServer server([](Server& s) {
    s.websocket("/", [](Connection& ws) -> Task<> {
      EXPECT_EQ(ws.handle().post([](Connection&) { throw 1; }), SendResult::queued);
      co_await ws.closed();
    });
  });
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/"), client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    const CloseInfo info = co_await ws->closed();
    EXPECT_EQ(info.code, close_code::internal_error);
  });
}

}  // namespace
}  // namespace fairlead

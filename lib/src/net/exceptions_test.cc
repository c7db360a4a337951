// SPDX-License-Identifier: Apache-2.0
// Whatever the application throws, of whatever type, ends an answer or a connection, and never the server.
#include "net/log_lines_testing.h"
#include "net/raw_peer_testing.h"
#include "net/testing.h"

#include <fairlead/client.h>
#include <fairlead/server.h>

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>

namespace fairlead {
namespace {

using net::testing::client_options;
using net::testing::LogLines;
using net::testing::PlainServer;
using net::testing::RawPeer;
using net::testing::soon;
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
      {.log = lines.sink(), .dangerously_log_exceptions = true});
  RawPeer peer(server.port());
  ASSERT_TRUE(peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  peer.read_until("Internal Server Error\n");
  EXPECT_EQ(lines.with(R"(threw std::runtime_error: a\x0d\x0ab\x7fwww)"), 1) << lines.all();
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
  EXPECT_EQ(lines.with("path=/now system: an HTTP handler threw int"), 1);
  EXPECT_EQ(lines.with("path=/named system: an HTTP handler threw std::runtime_error"), 1);
  EXPECT_EQ(lines.with("path=/later system: an HTTP handler threw int"), 1);
  EXPECT_EQ(lines.with("secret"), 0);
  EXPECT_EQ(lines.with("database"), 0) << "what it says is for whoever asked for it";
}

// What a peer sent may be in it: a parser says what it has read.
TEST(Exceptions, OfAHandlerSayWhatTheySayToTheApplicationAlone) {
  for (const bool asked_for : {false, true}) {
    LogLines lines;
    std::string told;
    std::atomic<bool> ended = false;
    Handlers handlers;
    handlers.message = [](Connection&, MessageView message) {
      throw std::invalid_argument("cannot read " + std::string(as_text(message.payload)));
    };
    handlers.close = [&](Connection& ws, const CloseInfo&) {
      if (ws.error() != nullptr) told = to_string(*ws.error());
      ended = true;
    };
    TestServer server(
        [&](Server& s) {
          s.websocket("/", handlers);
          s.websocket("/coroutine", [](Connection& ws) -> Task<> {
            const auto message = co_await ws.receive();
            if (message) throw std::invalid_argument("cannot read " + message->payload);
          });
        },
        {.log = lines.sink(), .dangerously_log_exceptions = asked_for});
    run([&]() -> Task<> {
      for (const auto* path : {"/", "/coroutine"}) {
        auto ws = co_await connect(server.url(path), client_options());
        EXPECT_TRUE(ws);
        if (!ws) co_return;
        static_cast<void>(ws->send("secret"));
        const CloseInfo info = co_await ws->closed();
        EXPECT_EQ(info.code, close_code::internal_error);
      }
    });
    ASSERT_TRUE(soon([&] { return ended.load(); }));
    EXPECT_EQ(told, "system: a handler threw std::invalid_argument: cannot read secret");
    EXPECT_EQ(lines.with("system: a handler threw std::invalid_argument"), 2) << lines.all();
    EXPECT_EQ(lines.with("secret"), asked_for ? 2 : 0) << lines.all();
  }
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

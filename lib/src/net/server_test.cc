// SPDX-License-Identifier: Apache-2.0
// Servers and clients of the public API against each other, over loopback and TLS.
#include "net/testing.h"

#include <fairlead/blocking.h>
#include <fairlead/client.h>
#include <fairlead/server.h>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

namespace fairlead {
namespace {

std::string certificate_socket() { return net::testing::certificate_directory() + "/test.sock"; }

using net::testing::client_options;
using net::testing::TestServer;
using std::chrono::milliseconds;
using std::chrono::seconds;

Task<> echo(Connection& ws) {
  while (auto message = co_await ws.receive()) co_await ws.send(*message);
}

TEST(Echo, CoroutineServerAnswersACoroutineClient) {
  TestServer server([](Server& s) { s.websocket("/echo", echo); });
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/echo"), client_options());
    EXPECT_TRUE(ws) << to_string(ws.error());
    if (!ws) co_return;
    EXPECT_EQ(ws->tls().version, "TLSv1.3");
    for (const std::string& text : {std::string("hello"), std::string(), std::string(200'000, 'x')}) {
      co_await ws->send(text);
      auto answer = co_await ws->receive();
      EXPECT_TRUE(answer);
      if (!answer) co_return;
      EXPECT_EQ(answer->payload, text);
      EXPECT_EQ(answer->kind, MessageKind::text);
    }
    EXPECT_TRUE(ws->close(4001, "done"));
    const CloseInfo info = co_await ws->closed();
    EXPECT_TRUE(info.clean);
    EXPECT_EQ(info.code, 4001);
    EXPECT_EQ(info.sent_code, 4001);
  });
}

Handlers echo_handlers() {
  Handlers handlers;
  handlers.message = [](Connection& ws, MessageView message) { ws.send(message); };
  return handlers;
}

// Sends each payload and expects it back, kind and all.
Task<> expect_echo(std::string url, ClientOptions options, std::vector<std::string> payloads) {
  auto ws = co_await connect(url, std::move(options));
  EXPECT_TRUE(ws) << to_string(ws.error());
  if (!ws) co_return;
  for (const std::string& payload : payloads) {
    for (const MessageKind kind : {MessageKind::text, MessageKind::binary}) {
      const Message message{kind, payload};
      co_await ws->send(message);
      auto answer = co_await ws->receive(seconds(30));
      EXPECT_TRUE(answer) << to_string(answer.error());
      if (!answer) co_return;
      EXPECT_EQ(answer->kind, kind);
      EXPECT_EQ(answer->payload.size(), payload.size());
      EXPECT_TRUE(answer->payload == payload);
    }
  }
}

const std::vector<std::string>& payloads() {
  static const std::vector<std::string> all{"",
                                            "a",
                                            std::string(125, 'b'),
                                            std::string(126, 'c'),
                                            std::string(65'535, 'd'),
                                            std::string(65'536, 'e'),
                                            std::string(900'000, 'f')};
  return all;
}

TEST(Echo, HandlersAnswerAtEveryLength) {
  TestServer server([](Server& s) { s.websocket("/echo", echo_handlers()); });
  run([&]() -> Task<> { co_await expect_echo(server.url("/echo"), client_options(), payloads()); });
}

TEST(Echo, CompressedBothWays) {
  TestServer server([](Server& s) { s.websocket("/echo", echo_handlers(), {.compression = {.enabled = true}}); });
  auto options = client_options();
  options.compression.enabled = true;
  run([&]() -> Task<> { co_await expect_echo(server.url("/echo"), options, payloads()); });
}

TEST(Echo, AMessageInPiecesOverAStreamingRoute) {
  TestServer server([](Server& s) {
    s.websocket("/echo",
                [](Connection& ws) -> Task<> {
                  while (auto chunk = co_await ws.receive_chunk()) {
                    co_await ws.send_chunk(chunk->kind, as_bytes(chunk->payload), chunk->last);
                  }
                },
                {.stream_incoming = true});
  });
  run([&]() -> Task<> { co_await expect_echo(server.url("/echo"), client_options(), payloads()); });
}

TEST(Echo, ManyMessagesInFlightKeepTheirOrder) {
  TestServer server([](Server& s) { s.websocket("/echo", echo); }, {.limits = {.messages_per_second = unlimited}});
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/echo"), client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    constexpr int count = 5'000;
    for (int i = 0; i < count; ++i) co_await ws->send(std::to_string(i));
    for (int i = 0; i < count; ++i) {
      auto answer = co_await ws->receive();
      EXPECT_TRUE(answer);
      if (!answer) co_return;
      EXPECT_EQ(answer->payload, std::to_string(i));
    }
  });
}

// What reaches the server when `count` messages leave in one turn.
std::uint64_t bytes_of_one_turn(bool record_per_message, int count) {
  TestServer server([](Server& s) { s.websocket("/echo", echo); });
  std::uint64_t bytes = 0;
  run([&]() -> Task<> {
    ClientOptions options = client_options();
    options.record_per_message = record_per_message;
    auto ws = co_await connect(server.url("/echo"), options);
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    const std::uint64_t before = server.server().stats().bytes_in;
    for (int i = 0; i < count; ++i) ws->send("in a turn");
    for (int i = 0; i < count; ++i) EXPECT_TRUE(co_await ws->receive(seconds(10)));
    bytes = server.server().stats().bytes_in - before;
  });
  return bytes;
}

TEST(Echo, MessagesOfOneTurnShareARecordUnlessEachIsToHaveItsOwn) {
  constexpr int count = 10;
  constexpr std::uint64_t frame = 2 + 4 + 9;    // header, mask, payload
  constexpr std::uint64_t around = 5 + 1 + 16;  // RFC 8446 5.2: header, inner type, tag
  EXPECT_EQ(bytes_of_one_turn(false, count), count * frame + around);
  EXPECT_EQ(bytes_of_one_turn(true, count), count * (frame + around));
}

TEST(Echo, TheBlockingFacade) {
  TestServer server([](Server& s) { s.websocket("/echo", echo_handlers()); });
  auto ws = blocking::Client::connect(server.url("/echo"), client_options());
  ASSERT_TRUE(ws) << to_string(ws.error());
  EXPECT_EQ(ws->send("hello"), SendResult::sent);
  const auto answer = ws->receive(seconds(10));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->payload, "hello");
  const auto nothing = ws->receive(milliseconds(20));
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, Errc::timed_out);
  EXPECT_TRUE(ws->close().clean);
  EXPECT_EQ(ws->receive(seconds(1)).error().code, Errc::closed);
  EXPECT_EQ(ws->send("too late"), SendResult::closed);
}

TEST(Echo, OverAUnixSocketWithAServerOfSeveralLoops) {
  const std::string path = certificate_socket();
  Server server({.tls = Tls::development(net::testing::certificate_directory()), .threads = 2});
  server.websocket("/echo", echo_handlers());
  ASSERT_TRUE(server.listen("unix:" + path));
  ASSERT_TRUE(server.start());
  auto options = client_options();
  options.unix_path = path;
  for (int i = 0; i < 4; ++i) {
    run([&]() -> Task<> {
      co_await expect_echo("wss://localhost/echo", options, std::vector<std::string>(1, "over a path"));
    });
  }
}

TEST(Listening, APortThatIsTakenOnOneOfItsAddressesIsRefused) {
  const ServerOptions options{.tls = Tls::development(net::testing::certificate_directory()), .threads = 2};
  Server first(options);
  const auto six = first.listen("[::1]:0");
  if (!six) GTEST_SKIP() << "no IPv6 here";
  ASSERT_TRUE(first.start());
  Server second(options);
  const auto half = second.listen("localhost:" + std::to_string(six->port));
  ASSERT_FALSE(half) << "who comes by IPv6 would reach the first";
  EXPECT_EQ(half.error().code, Errc::system);
}

TEST(Request, IsSeenByTheAcceptHookAndTheHandler) {
  TestServer server([](Server& s) {
    RouteOptions options;
    options.subprotocols = {"v2", "v1"};
    options.accept = [](const Request& request) {
      if (request.query_parameter("token") != "secret") return Decision::refuse(401, "who are you?\n");
      Decision decision = Decision::accept();
      decision.data = request.path;
      return decision;
    };
    s.websocket(
        "/in/*",
        [](Connection& ws) -> Task<> {
          co_await ws.send(std::any_cast<std::string>(ws.data()) + "|" + std::string(ws.subprotocol()) + "|" +
                           ws.request().peer.ip);
        },
        options);
  });
  run([&]() -> Task<> {
    auto refused = co_await connect(server.url("/in/a"), client_options());
    EXPECT_FALSE(refused);
    if (!refused) {
      EXPECT_EQ(refused.error().status, 401);
    }
    auto options = client_options();
    options.subprotocols = {"v1", "v2"};
    auto ws = co_await connect(server.url("/in/b%20c?token=secret"), options);
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    EXPECT_EQ(ws->subprotocol(), "v2") << "the server's order of preference counts";
    auto told = co_await ws->receive();
    EXPECT_TRUE(told);
    if (told) {
      EXPECT_EQ(told->payload, "/in/b c|v2|127.0.0.1");
    }
    const CloseInfo info = co_await ws->closed();
    EXPECT_EQ(info.code, close_code::normal) << "the handler returned";
    EXPECT_TRUE(info.peer_first);
  });
}

TEST(Request, AnAcceptHookMayWait) {
  TestServer server([](Server& s) {
    RouteOptions options;
    options.accept_async = [](const Request& request) -> Task<Decision> {
      static_cast<void>(co_await sleep_for(milliseconds(20)));
      co_return request.headers.contains("Authorization") ? Decision::accept() : Decision::refuse(403);
    };
    s.websocket("/", echo, options);
  });
  run([&]() -> Task<> {
    auto refused = co_await connect(server.url("/"), client_options());
    EXPECT_FALSE(refused);
    if (!refused) {
      EXPECT_EQ(refused.error().status, 403);
    }
    auto options = client_options();
    options.headers.add("Authorization", "Bearer x");
    co_await expect_echo(server.url("/"), options, std::vector<std::string>(1, "in"));
  });
}

TEST(Request, AnAcceptHookThatNeverAnswersIs503InTime) {
  TestServer server(
      [](Server& s) {
        RouteOptions options;
        options.accept_async = [](const Request&) -> Task<Decision> {
          static_cast<void>(co_await sleep_for(seconds(3600)));
          co_return Decision::accept();
        };
        s.websocket("/", echo, options);
      },
      {.limits = {.accept_time = milliseconds(50)}});
  run([&]() -> Task<> {
    auto refused = co_await connect(server.url("/"), client_options());
    EXPECT_FALSE(refused);
    if (!refused) {
      EXPECT_EQ(refused.error().status, 503);
    }
  });
}

TEST(Request, UnknownPathsAndForeignOriginsAreRefused) {
  TestServer server([](Server& s) { s.websocket("/", echo); });
  run([&]() -> Task<> {
    auto lost = co_await connect(server.url("/nowhere"), client_options());
    EXPECT_FALSE(lost);
    if (!lost) {
      EXPECT_EQ(lost.error().status, 404);
    }
    auto options = client_options();
    options.origin = "https://evil.example";
    auto foreign = co_await connect(server.url("/"), options);
    EXPECT_FALSE(foreign);
    if (!foreign) {
      EXPECT_EQ(foreign.error().status, 403);
    }
    options.origin = "https://127.0.0.1:" + std::to_string(server.port());
    auto own = co_await connect(server.url("/"), options);
    EXPECT_TRUE(own);
  });
  EXPECT_EQ(server.server().stats().failed(Errc::handshake_origin_denied), 1U);
  EXPECT_EQ(server.server().stats().failed(Errc::handshake_not_found), 1U);
}

}  // namespace
}  // namespace fairlead

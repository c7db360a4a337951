// SPDX-License-Identifier: Apache-2.0
// HTTP-stream, server-sent events and emulation, byte by byte over loopback.
#include "transport/testing.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

namespace fairlead::server {
namespace {

using std::chrono::milliseconds;
using testing::ask;
using testing::body_of;
using testing::FakeSession;
using testing::get_of;
using testing::post_of;
using testing::RawPeer;
using testing::TransportServer;

constexpr std::string_view binary = "Content-Type: application/octet-stream\r\n";

int status_of(const std::string& answer) { return answer.size() > 12 ? std::stoi(answer.substr(9, 3)) : 0; }

bool has_field(const std::string& answer, std::string_view field) {
  return answer.substr(0, answer.find("\r\n\r\n") + 2).find("\r\n" + std::string(field) + "\r\n") != std::string::npos;
}

TEST(HttpStream, AnswersLineByLineForAsLongAsTheClientStays) {
  TransportServer server;
  RawPeer peer(server.port());
  peer.send(post_of("/connection/http_stream", "connect\nrpc one"));
  const std::string answer = peer.read_until("reply:one\n");
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_TRUE(has_field(answer, "X-Accel-Buffering: no"));
  EXPECT_TRUE(has_field(answer, "Cache-Control: private, no-cache, no-store, must-revalidate, max-age=0"));
  EXPECT_TRUE(has_field(answer, "Content-Type: application/json; charset=utf-8"));
  EXPECT_EQ(body_of(answer), "reply:connected secret-1\nreply:one\n");
  const auto opened = server.host().last();
  EXPECT_TRUE(opened->options.emulated);
  EXPECT_EQ(opened->caller.transport, "http_stream");
  ASSERT_TRUE(server.host().with_last([](FakeSession& session) {
    session.publish("news");
    session.send("note");
  }));
  EXPECT_TRUE(body_of(peer.read_until("push:note\n\r\n")).ends_with("push:news\npush:note\n"));
}

TEST(HttpStream, SpeaksProtobufWhenTheBodyIsBinary) {
  TransportServer server;
  RawPeer peer(server.port());
  peer.send(post_of("/connection/http_stream", "connect", binary));
  const std::string answer = peer.read_until("secret-1\r\n");
  EXPECT_TRUE(has_field(answer, "Content-Type: application/octet-stream"));
  EXPECT_EQ(body_of(answer), "reply:connected secret-1");
  EXPECT_EQ(server.host().last()->caller.protocol, "protobuf");
}

TEST(HttpStream, EndsWithADisconnectPush) {
  TransportServer server;
  const std::string answer = ask(server.port(), post_of("/connection/http_stream", "connect\nrpc bye"));
  EXPECT_EQ(body_of(answer), "reply:connected secret-1\npush:disconnect 3503 force disconnect\n");
  EXPECT_TRUE(answer.ends_with("0\r\n\r\n")) << "the answer is whole";
  EXPECT_TRUE(server.host().saw("closed<secret-1>"));
}

// As an API call, a late verdict or a slow subscription does it: in no call that came by way of the connection.
TEST(HttpStream, EndsAlsoWhenItsSessionEndsByItself) {
  TransportServer server;
  RawPeer peer(server.port());
  peer.send(post_of("/connection/http_stream", "connect"));
  peer.read_until("secret-1");
  ASSERT_TRUE(server.host().with_last(
      [](FakeSession& session) { session.disconnect(disconnect_reason::invalid_token, Clock::now()); }));
  EXPECT_TRUE(peer.read_until("0\r\n\r\n").ends_with("0\r\n\r\n")) << "the answer is whole";
  EXPECT_TRUE(server.host().saw("closed<secret-1>"));
}

TEST(HttpStream, ABodyThatIsNoFrameIsABadRequest) {
  TransportServer server;
  for (const char* body : {"", "nonsense"}) {
    EXPECT_EQ(body_of(ask(server.port(), post_of("/connection/http_stream", body))),
              "push:disconnect 3501 bad request\n");
  }
}

TEST(HttpStream, TellsTheSessionThatTheClientHasGone) {
  TransportServer server;
  {
    RawPeer peer(server.port());
    peer.send(post_of("/connection/http_stream", "connect"));
    peer.read_until("secret-1");
  }
  EXPECT_TRUE(server.host().saw("closed<secret-1>"));
  server.stop();
  EXPECT_EQ(server.host().closed, 1);
}

TEST(HttpStream, TellsTheSessionsWhenTheServerEnds) {
  TransportServer server;
  RawPeer peer(server.port());
  peer.send(post_of("/connection/http_stream", "connect"));
  peer.read_until("secret-1");
  server.stop();
  EXPECT_EQ(server.host().closed, 1);
}

TEST(HttpStream, AnswersPreflightsAndRefusesOtherMethodsAndPages) {
  auto settings = TransportServer::all_endpoints();
  settings.allowed_origins = {"https://app.example"};
  TransportServer server(settings);
  const auto options = [](std::string_view origin) {
    return "OPTIONS /connection/http_stream HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: " + std::string(origin) +
           "\r\nAccess-Control-Request-Headers: content-type\r\n\r\n";
  };
  const std::string preflight = ask(server.port(), options("https://app.example"));
  EXPECT_EQ(status_of(preflight), 204);
  EXPECT_TRUE(has_field(preflight, "Access-Control-Allow-Origin: https://app.example"));
  EXPECT_TRUE(has_field(preflight, "Access-Control-Allow-Methods: POST, OPTIONS"));
  EXPECT_TRUE(has_field(preflight, "Access-Control-Allow-Headers: content-type"));
  EXPECT_TRUE(has_field(preflight, "Access-Control-Max-Age: 300"));
  const std::string denied = ask(server.port(), options("https://evil.example"));
  EXPECT_EQ(status_of(denied), 403);
  EXPECT_EQ(denied.find("Access-Control"), std::string::npos);
  EXPECT_EQ(status_of(ask(server.port(), get_of("/connection/http_stream"))), 405);
  EXPECT_EQ(
      status_of(ask(server.port(), post_of("/connection/http_stream", "connect", "Origin: https://evil.example\r\n"))),
      403);
  RawPeer page(server.port());
  page.send(post_of("/connection/http_stream", "connect", "Origin: https://app.example\r\n"));
  EXPECT_TRUE(has_field(page.read_until("secret"), "Access-Control-Allow-Origin: https://app.example"));
}

TEST(HttpStream, ABodyOverTheLimitIs413) {
  auto settings = TransportServer::all_endpoints();
  settings.message_size_limit = 100;
  TransportServer server(settings);
  EXPECT_EQ(status_of(ask(server.port(), post_of("/connection/http_stream", std::string(101, 'x')))), 413);
  EXPECT_EQ(status_of(ask(server.port(), post_of("/emulation", std::string(101, 'x')))), 413);
  EXPECT_EQ(status_of(ask(server.port(), post_of("/emulation", std::string(100, 'x')))), 400);
}

TEST(HttpStream, EachWayInMayHaveALimitOfItsOwn) {
  auto settings = TransportServer::all_endpoints();
  settings.message_size_limit = 1'000;
  settings.http_stream.size_limit = 100;
  TransportServer server(settings);
  EXPECT_EQ(status_of(ask(server.port(), post_of("/connection/http_stream", std::string(101, 'x')))), 413);
  EXPECT_EQ(status_of(ask(server.port(), post_of("/emulation", std::string(101, 'x')))), 400);
}

TEST(HttpStream, ASlowClientIsBounded) {
  TransportServer server(TransportServer::all_endpoints(), 64 * 1024);
  RawPeer peer(server.port());
  peer.send(post_of("/connection/http_stream", "connect"));
  peer.read_until("secret-1");
  bool open = true;
  for (int i = 0; i < 4'000 && open && server.host().closed == 0; ++i) {
    open = server.host().with_last([](FakeSession& session) { session.publish(std::string(16 * 1024, 'x')); });
  }
  EXPECT_TRUE(server.host().saw("closed<secret-1>"));
}

TEST(Sse, BeginsWithAnEmptyLineAndSendsEachMessageAsAnEvent) {
  TransportServer server;
  RawPeer peer(server.port());
  peer.send(get_of("/connection/sse?cf_connect=connect%0Arpc%20one"));
  const std::string answer = peer.read_until("reply:one\n\n");
  EXPECT_TRUE(has_field(answer, "Content-Type: text/event-stream; charset=utf-8"));
  EXPECT_TRUE(has_field(answer, "X-Accel-Buffering: no"));
  EXPECT_EQ(body_of(answer), "\r\ndata: reply:connected secret-1\n\ndata: reply:one\n\n");
  EXPECT_TRUE(server.host().last()->options.emulated);
  ASSERT_TRUE(server.host().with_last([](FakeSession& session) {
    session.publish("news");
    session.outbox().ping();
  }));
  EXPECT_TRUE(body_of(peer.read_until("{}\n\n\r\n")).ends_with("data: push:news\n\ndata: {}\n\n"));
}

TEST(Sse, TakesItsCommandsFromABodyAsWell) {
  TransportServer server;
  EXPECT_EQ(body_of(ask(server.port(), post_of("/connection/sse", "connect\nrpc bye"))),
            "\r\ndata: reply:connected secret-1\n\ndata: push:disconnect 3503 force disconnect\n\n");
}

TEST(Emulation, ReachesTheSessionWhateverLoopItComesTo) {
  TransportServer server(TransportServer::all_endpoints(), 1024 * 1024, 3);
  RawPeer peer(server.port());
  peer.send(post_of("/connection/http_stream", "connect"));
  peer.read_until("secret-1");
  for (int i = 0; i < 12; ++i) {
    const std::string answer =
        ask(server.port(), post_of("/emulation", "node-1 secret-1 rpc number" + std::to_string(i)));
    EXPECT_EQ(status_of(answer), 204);
    EXPECT_NE(peer.read_until("number" + std::to_string(i) + "\n").find("number" + std::to_string(i)),
              std::string::npos);
  }
}

TEST(Emulation, TellsNothingToWhoeverDoesNotKnowTheSession) {
  TransportServer server;
  RawPeer peer(server.port());
  peer.send(post_of("/connection/http_stream", "connect"));
  peer.read_until("secret-1");
  EXPECT_EQ(status_of(ask(server.port(), post_of("/emulation", "node-1 secret-2 rpc x"))), 404);
  EXPECT_EQ(status_of(ask(server.port(), post_of("/emulation", "node-2 secret-1 rpc x"))), 404);
  EXPECT_EQ(status_of(ask(server.port(), post_of("/emulation", "node-1  rpc x"))), 404);
  EXPECT_EQ(status_of(ask(server.port(), post_of("/emulation", "nonsense"))), 400);
  EXPECT_EQ(status_of(ask(server.port(), get_of("/emulation"))), 405);
  EXPECT_EQ(server.host().notes().find("rpc"), std::string::npos);
}

TEST(Emulation, ForgetsASessionThatHasEnded) {
  TransportServer server;
  EXPECT_FALSE(ask(server.port(), post_of("/connection/http_stream", "connect\nrpc bye")).empty());
  ASSERT_TRUE(server.host().saw("closed<secret-1>"));
  EXPECT_EQ(status_of(ask(server.port(), post_of("/emulation", "node-1 secret-1 rpc x"))), 404);
}

TEST(Emulation, IsNoWayIntoWebSockets) {
  TransportServer server;
  RawPeer peer(server.port());
  peer.send(post_of("/connection/uni_http_stream", "{}"));
  peer.read_until("secret-1");
  EXPECT_EQ(status_of(ask(server.port(), post_of("/emulation", "node-1 secret-1 rpc x"))), 404);
}

TEST(Emulation, OfABusySessionWaitsWithinBounds) {
  TransportServer server;
  RawPeer peer(server.port());
  peer.send(post_of("/connection/http_stream", "connect\nrpc busy"));
  peer.read_until("reply:busy");
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(status_of(ask(server.port(), post_of("/emulation", "node-1 secret-1 rpc early"))), 204);
  }
  EXPECT_EQ(server.host().notes().find("early"), std::string::npos);
  ASSERT_TRUE(server.host().with_last([](FakeSession& session) { session.become_free(); }));
  EXPECT_TRUE(server.host().saw("early"));
  ASSERT_TRUE(server.host().with_last([](FakeSession& session) {
    session.receive({Command{.id = 1, .body = RpcRequest{.data = "busy", .method = {}}}}, Clock::now());
  }));
  for (int i = 0; i < 80; ++i) {
    static_cast<void>(ask(server.port(), post_of("/emulation", "node-1 secret-1 rpc flood")));
  }
  EXPECT_TRUE(server.host().saw("disconnect<3013>"));
  EXPECT_NE(peer.read_until("push:disconnect 3013").find("push:disconnect 3013"), std::string::npos);
}

TEST(UniHttpStream, SendsBarePushes) {
  TransportServer server;
  RawPeer peer(server.port());
  peer.send(post_of("/connection/uni_http_stream", "{\"token\":\"t\"}"));
  EXPECT_EQ(body_of(peer.read_until("secret-1\n")), "bare:connected secret-1\n");
  EXPECT_TRUE(server.host().saw("connect<{\"token\":\"t\"}>"));
  ASSERT_TRUE(server.host().with_last([](FakeSession& session) {
    session.outbox().ping();
    session.disconnect(disconnect_reason::expired, Clock::now());
  }));
  EXPECT_EQ(body_of(peer.read_until("0\r\n\r\n")),
            "bare:connected secret-1\n{}\nbare:disconnect 3005 connection expired\n");
}

TEST(UniSse, SendsBarePushesAsEventsAndNeedsNoRequest) {
  TransportServer server;
  RawPeer peer(server.port());
  peer.send(get_of("/connection/uni_sse"));
  EXPECT_EQ(body_of(peer.read_until("secret-1\n\n")), "\r\ndata: bare:connected secret-1\n\n");
  EXPECT_TRUE(server.host().saw("connect<{}>"));
  EXPECT_EQ(server.host().last()->caller.transport, "uni_sse");
}

TEST(HttpStreams, AreNotThereUnlessEnabled) {
  TransportServer server{TransportSettings{}};
  EXPECT_EQ(status_of(ask(server.port(), post_of("/connection/http_stream", "connect"))), 404);
  EXPECT_EQ(status_of(ask(server.port(), post_of("/emulation", "x"))), 404);
}

TEST(HttpStreams, OfANodeThatTakesNobodyInSaySo) {
  TransportServer server;
  server.host().full = true;
  EXPECT_EQ(body_of(ask(server.port(), post_of("/connection/http_stream", "connect"))),
            "push:disconnect 3001 shutdown\n");
}

}  // namespace
}  // namespace fairlead::server

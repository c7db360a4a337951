// SPDX-License-Identifier: Apache-2.0
// The WebSocket endpoints with a real client over loopback.
#include "transport/testing.h"

#include <fairlead/blocking.h>

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace fairlead::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::client_options;
using testing::FakeSession;
using testing::TransportServer;

constexpr std::string_view path = "/connection/websocket";

// A client that has received `connected`.
class Peer {
 public:
  Peer(const TransportServer& server, std::string_view at, ClientOptions options = client_options()) {
    auto opened = blocking::Client::connect(server.url(at), std::move(options));
    EXPECT_TRUE(opened) << (opened ? "" : to_string(opened.error()));
    if (opened) client_.emplace(std::move(*opened));
  }
  void send(std::string_view text) { EXPECT_NE(client_->send(text), SendResult::closed); }
  Message receive() {
    auto message = client_->receive(seconds(10));
    return message ? *message : Message{MessageKind::text, "nothing: " + to_string(message.error())};
  }
  std::string text() { return receive().payload; }
  // The close of the server.
  CloseInfo end() {
    for (int i = 0; i < 100; ++i) {
      const auto message = client_->receive(seconds(10));
      if (!message) break;
    }
    return client_->close_info();
  }
  blocking::Client& client() { return *client_; }

 private:
  std::optional<blocking::Client> client_;
};

TEST(WebSocketTransport, SpeaksJsonInTextFramesUnlessAskedOtherwise) {
  TransportServer server;
  Peer peer(server, path);
  EXPECT_EQ(peer.client().subprotocol(), "");
  peer.send("connect");
  const Message reply = peer.receive();
  EXPECT_EQ(reply.kind, MessageKind::text);
  EXPECT_EQ(reply.payload, "reply:connected secret-1");
  const auto opened = server.host().last();
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->caller.transport, "websocket");
  EXPECT_EQ(opened->caller.protocol, "json");
  EXPECT_EQ(opened->caller.encoding, "json");
  EXPECT_EQ(opened->caller.peer_ip, "127.0.0.1");
  EXPECT_TRUE(opened->caller.headers.contains("host"));
  EXPECT_FALSE(opened->options.emulated);
  EXPECT_FALSE(opened->options.unidirectional);
  EXPECT_FALSE(opened->options.native_ping);
}

TEST(WebSocketTransport, ChoosesBySubprotocol) {
  TransportServer server;
  auto options = client_options();
  options.subprotocols = {"centrifuge-protobuf"};
  Peer binary(server, path, options);
  EXPECT_EQ(binary.client().subprotocol(), "centrifuge-protobuf");
  binary.send("connect\nrpc one");
  const Message reply = binary.receive();
  EXPECT_EQ(reply.kind, MessageKind::binary);
  EXPECT_EQ(reply.payload, "reply:connected secret-1|reply:one");
  EXPECT_EQ(server.host().last()->caller.encoding, "binary");
  options.subprotocols = {"centrifuge-json"};
  Peer json(server, path, options);
  EXPECT_EQ(json.client().subprotocol(), "centrifuge-json");
  json.send("connect");
  EXPECT_EQ(json.receive().kind, MessageKind::text);
}

TEST(WebSocketTransport, ChoosesByTheParametersOfOldUrls) {
  TransportServer server;
  for (const char* query : {"?format=protobuf", "?cf_protocol=protobuf", "?cf_protocol_version=v2&format=protobuf"}) {
    Peer peer(server, std::string(path) + query);
    peer.send("connect");
    EXPECT_EQ(peer.receive().kind, MessageKind::binary) << query;
  }
  Peer peer(server, std::string(path) + "?cf_protocol_version=v2&cf_ws_frame_ping_pong=true");
  peer.send("connect");
  EXPECT_EQ(peer.receive().kind, MessageKind::text);
  EXPECT_TRUE(server.host().last()->options.native_ping);
}

TEST(WebSocketTransport, SendsTheAnswersOfOneFrameAsOne) {
  TransportServer server;
  Peer peer(server, path);
  peer.send("connect\nrpc a\nrpc b");
  EXPECT_EQ(peer.text(), "reply:connected secret-1\nreply:a\nreply:b");
}

TEST(WebSocketTransport, SendsWhatATurnOfTheLoopSaysAsOneFrame) {
  TransportServer server;
  Peer peer(server, path);
  peer.send("connect");
  peer.text();
  ASSERT_TRUE(server.host().with_last([](FakeSession& session) {
    session.send("x");
    session.send("y");
  }));
  EXPECT_EQ(peer.text(), "push:x\npush:y");
}

TEST(WebSocketTransport, KeepsTheOrderOfRepliesAndPublications) {
  TransportServer server;
  Peer peer(server, path);
  peer.send("connect\nrpc mixed\nrpc end");
  EXPECT_EQ(peer.text(), "reply:connected secret-1");
  EXPECT_EQ(peer.text(), "push:first");
  EXPECT_EQ(peer.text(), "reply:between");
  EXPECT_EQ(peer.text(), "push:last");
  EXPECT_EQ(peer.text(), "reply:end");
}

TEST(WebSocketTransport, SendsWhatIsLargerThanHalfOfTheQueueOnce) {
  TransportServer server;
  Peer peer(server, path);
  peer.send("connect");
  peer.text();
  const std::string large(server.host().queue_max / 2 + 100'000, 'x');
  ASSERT_TRUE(server.host().with_last(
      [&](FakeSession& session) { session.outbox().reply({.id = 5, .body = RpcResult{large}}); }));
  ASSERT_TRUE(server.host().with_last([](FakeSession& session) { session.send("next"); }));
  EXPECT_EQ(peer.text(), "reply:" + large);
  EXPECT_EQ(peer.text(), "push:next");
}

TEST(WebSocketTransport, AnEmptyFrameIsABadRequest) {
  TransportServer server;
  Peer peer(server, path);
  peer.send("");
  const CloseInfo end = peer.end();
  EXPECT_EQ(end.code, 3501);
  EXPECT_EQ(end.reason, "bad request");
  EXPECT_TRUE(server.host().saw("closed<secret-1>"));
}

TEST(WebSocketTransport, AFrameThatBreaksTheFormatIsABadRequestAndNoneOfItCounts) {
  TransportServer server;
  Peer peer(server, path);
  peer.send("connect\nrpc x\nnonsense");
  EXPECT_EQ(peer.end().code, 3501);
  EXPECT_EQ(server.host().notes().find("rpc<x>"), std::string::npos);
}

TEST(WebSocketTransport, AMessageOverTheLimitIs1009AtTheLimitItPasses) {
  auto settings = TransportServer::all_endpoints();
  settings.message_size_limit = 100;
  TransportServer server(settings);
  Peer peer(server, path);
  peer.send("rpc " + std::string(96, 'x'));
  EXPECT_EQ(peer.text(), "reply:" + std::string(96, 'x'));
  peer.send("rpc " + std::string(97, 'x'));
  EXPECT_EQ(peer.end().code, 1009);
  EXPECT_TRUE(server.host().saw("closed<secret-1>"));
}

TEST(WebSocketTransport, LeavesThePaceOfCommandsToTheSession) {
  TransportServer server;
  Peer peer(server, path);
  constexpr int more_than_a_burst_of_the_library = 2'500;
  for (int i = 0; i < more_than_a_burst_of_the_library; ++i) {
    peer.send("rpc a");
    ASSERT_EQ(peer.text(), "reply:a") << i;
  }
}

TEST(WebSocketTransport, EndsWithTheSessionsCodeBehindItsLastWords) {
  TransportServer server;
  Peer peer(server, path);
  peer.send("connect\nrpc bye\nrpc never");
  EXPECT_EQ(peer.text(), "reply:connected secret-1");
  const CloseInfo end = peer.end();
  EXPECT_EQ(end.code, 3503);
  EXPECT_EQ(end.reason, "force disconnect");
  EXPECT_TRUE(end.clean);
  EXPECT_TRUE(server.host().saw("closed<secret-1>"));
}

TEST(WebSocketTransport, TellsTheSessionOnceThatTheClientHasGone) {
  TransportServer server;
  {
    Peer peer(server, path);
    peer.send("connect");
    peer.text();
  }
  EXPECT_TRUE(server.host().saw("closed<secret-1>"));
  server.stop();
  EXPECT_EQ(server.host().closed, 1);
}

TEST(WebSocketTransport, TellsTheSessionsWhenTheServerEnds) {
  TransportServer server;
  Peer peer(server, path);
  peer.send("connect");
  peer.text();
  server.stop();
  EXPECT_EQ(server.host().closed, 1);
}

TEST(WebSocketTransport, GivesABusySessionNothingUntilItIsFree) {
  TransportServer server;
  Peer peer(server, path);
  peer.send("connect\nrpc busy");
  peer.text();
  for (int i = 0; i < 200; ++i) peer.send("rpc " + std::to_string(i));
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_EQ(server.host().notes().find("rpc<0>"), std::string::npos);
  ASSERT_TRUE(server.host().with_last([](FakeSession& session) { session.become_free(); }));
  std::string all;
  while (all.find("reply:199") == std::string::npos) {
    const std::string next = peer.text();
    ASSERT_TRUE(next.starts_with("reply:")) << next;
    all += next + "\n";
  }
  EXPECT_LT(all.find("reply:0\n"), all.find("reply:1\n"));
  EXPECT_LT(all.find("reply:9\n"), all.find("reply:10\n"));
}

TEST(WebSocketTransport, LooksAtTheSessionWhenItsDeadlineHasCome) {
  TransportServer server;
  Peer peer(server, path);
  peer.send("connect\nrpc ping soon");
  peer.text();
  EXPECT_EQ(peer.text(), "{}");
}

TEST(WebSocketTransport, ASlowClientIsDisconnectedAsSlow) {
  TransportServer server(TransportServer::all_endpoints(), 64 * 1024);
  Peer peer(server, path);
  peer.send("connect");
  peer.text();
  for (int i = 0; i < 2'000 && server.host().notes().find("disconnect<3008>") == std::string::npos; ++i) {
    server.host().with_last([](FakeSession& session) {
      session.publish(std::string(16 * 1024, 'x'));
      EXPECT_LE(session.outbox().queued_bytes(), 512U * 1024) << "the queue, what one write sealed, what was refused";
    });
  }
  EXPECT_TRUE(server.host().saw("disconnect<3008>"));
  EXPECT_TRUE(server.host().saw("closed<secret-1>"));
}

TEST(WebSocketTransport, TellsTheSessionWhenItsClientHasCaughtUp) {
  constexpr std::size_t limit = 8 * 1024 * 1024;
  TransportServer server(TransportServer::all_endpoints(), limit);
  auto options = client_options();
  options.limits.message_bytes = options.limits.frame_bytes = limit;
  Peer peer(server, path, options);
  peer.send("connect");
  peer.text();
  ASSERT_TRUE(
      server.host().with_last([](FakeSession& session) { session.publish(std::string(7 * 1024 * 1024, 'x')); }));
  EXPECT_EQ(peer.text().size(), 5U + 7 * 1024 * 1024);
  EXPECT_TRUE(server.host().saw("drained"));
}

int status_for(const TransportServer& server, std::string origin) {
  auto options = client_options();
  options.origin = std::move(origin);
  const auto opened = blocking::Client::connect(server.url(path), options);
  return opened ? 101 : opened.error().status;
}

TEST(WebSocketTransport, IsForPagesOfItsOwnOriginAndTheConfiguredOnes) {
  auto settings = TransportServer::all_endpoints();
  {
    const TransportServer server(settings);
    EXPECT_EQ(status_for(server, ""), 101);
    EXPECT_EQ(status_for(server, "http://127.0.0.1:" + std::to_string(server.port())), 101);
    EXPECT_EQ(status_for(server, "https://app.example.org"), 403);
  }
  settings.allowed_origins = {"https://*.example.org"};
  const TransportServer server(settings);
  EXPECT_EQ(status_for(server, "https://app.example.org"), 101);
  EXPECT_EQ(status_for(server, "http://127.0.0.1:" + std::to_string(server.port())), 101);
  EXPECT_EQ(status_for(server, "https://evil.example"), 403);
}

TEST(WebSocketTransport, OtherPagesMayConnectAfterAReload) {
  auto settings = TransportServer::all_endpoints();
  TransportServer server(settings);
  EXPECT_EQ(status_for(server, "https://app.example.org"), 403);
  EXPECT_EQ(status_for(server, "null"), 403);
  settings.allowed_origins = {"https://*.example.org"};
  server.reconfigure(settings);
  EXPECT_EQ(status_for(server, "https://app.example.org"), 101);
  EXPECT_EQ(status_for(server, "https://evil.example"), 403);
  settings.allowed_origins.clear();
  server.reconfigure(settings);
  EXPECT_EQ(status_for(server, "https://app.example.org"), 403);
  EXPECT_EQ(status_for(server, "http://127.0.0.1:" + std::to_string(server.port())), 101);
}

TEST(WebSocketTransport, ANodeThatTakesNobodyInSaysSo) {
  TransportServer server;
  server.host().full = true;
  Peer peer(server, path);
  EXPECT_EQ(peer.end().code, 3001);
}

TEST(WebSocketTransport, ConnectsAndLeavesManyTimesQuickly) {
  TransportServer server;
  for (int i = 0; i < 20; ++i) {
    Peer peer(server, path);
    peer.send("connect");
    if (i % 2 == 0) {
      EXPECT_TRUE(peer.text().starts_with("reply:connected"));
    }
  }
  for (int i = 0; i < 2'000 && server.host().closed < 20; ++i) std::this_thread::sleep_for(milliseconds(5));
  EXPECT_EQ(server.host().closed, 20);
}

TEST(UniWebSocketTransport, SendsBarePushesAndTakesOneConnectRequest) {
  TransportServer server;
  Peer peer(server, "/connection/uni_websocket");
  peer.send("{\"token\":\n\"t\"}");
  EXPECT_EQ(peer.text(), "bare:connected secret-1");
  EXPECT_TRUE(server.host().saw("connect<{\"token\": \"t\"}>"));
  const auto opened = server.host().last();
  EXPECT_TRUE(opened->options.unidirectional);
  EXPECT_EQ(opened->caller.transport, "uni_websocket");
  peer.send("rpc ignored");
  ASSERT_TRUE(server.host().with_last([](FakeSession& session) {
    session.send("hello");
    session.publish("news");
    session.outbox().ping();
  }));
  EXPECT_EQ(peer.text(), "bare:hello");
  EXPECT_EQ(peer.text(), "bare:news");
  EXPECT_EQ(peer.text(), "{}");
  EXPECT_EQ(server.host().notes().find("rpc"), std::string::npos);
}

TEST(UniWebSocketTransport, WrapsAConnectRequestInProtobuf) {
  TransportServer server;
  Peer peer(server, "/connection/uni_websocket?format=protobuf");
  peer.send("abc");
  const Message first = peer.receive();
  EXPECT_EQ(first.kind, MessageKind::binary);
  EXPECT_TRUE(server.host().saw("connect<abc>"));
}

TEST(UniWebSocketTransport, AnErrorInAnswerToItsConnectEndsIt) {
  TransportServer server;
  Peer peer(server, "/connection/uni_websocket");
  peer.send("{}");
  peer.text();
  ASSERT_TRUE(server.host().with_last(
      [](FakeSession& session) { session.outbox().reply({.id = 1, .body = client_error::token_expired}); }));
  EXPECT_EQ(peer.end().code, 3005);
}

TEST(WebSocketTransport, IsNotThereWhenDisabled) {
  auto settings = TransportServer::all_endpoints();
  settings.uni_websocket.disabled = true;
  const TransportServer server(settings);
  const auto opened = blocking::Client::connect(server.url("/connection/uni_websocket"), client_options());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().status, 404);
}

}  // namespace
}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
#include "session/session_testing.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace fairlead::server::testing {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

Admitted admitted_as(const std::string& user) {
  Admitted admitted;
  admitted.user = user;
  return admitted;
}

TEST(Connecting, IsAnsweredWithClientVersionAndPings) {
  World world;
  TestClient client(world);
  client.connect();
  EXPECT_EQ(client.heard(), Lines{"1:connect"});
  const ConnectResult& result = client.connect_result();
  EXPECT_EQ(result.client, client.session->client());
  EXPECT_EQ(result.version, "1.0");
  EXPECT_EQ(result.ping, 25U);
  EXPECT_TRUE(result.pong);
  EXPECT_FALSE(result.expires);
  EXPECT_TRUE(result.session.empty());
  EXPECT_EQ(client.session->user(), "ann");
  EXPECT_TRUE(world.connected.contains(client.session.get()));
  EXPECT_EQ(world.events.lines, Lines{"connected"});
}

TEST(Connecting, OtherCommandsBeforeItAreABadRequest) {
  World world;
  TestClient client(world);
  client.say(to("news"));
  EXPECT_EQ(client.heard(), Lines{"disconnect 3501"});
  EXPECT_TRUE(world.events.lines.empty());
}

TEST(Connecting, ASecondOneIsABadRequest) {
  World world;
  TestClient client(world);
  client.say(ConnectRequest{}, ConnectRequest{});
  EXPECT_EQ(client.heard(), (Lines{"1:connect", "disconnect 3501"}));
  EXPECT_EQ(world.events.lines, (Lines{"connected", "disconnected 3501"}));
  EXPECT_TRUE(world.connected.empty());
}

TEST(Connecting, AnErrorMakesEveryFurtherCommandABadRequestButNotThoseOfItsFrame) {
  World world;
  world.gate.admitted = client_error::token_expired;
  TestClient client(world);
  client.say(ConnectRequest{}, to("news"));
  EXPECT_EQ(client.heard(), Lines{"1:error 109"});
  EXPECT_EQ(client.session->admitted(), nullptr);
  client.say(to("news"));
  EXPECT_EQ(client.heard(), Lines{"disconnect 3501"});
  EXPECT_TRUE(world.events.lines.empty());
}

TEST(Connecting, ANameOrVersionPastItsBoundEndsWith3501) {
  for (const auto& [name, version] : {std::pair(17, 0), std::pair(0, 65)}) {
    World world;
    TestClient client(world);
    ConnectRequest request;
    request.name = std::string(static_cast<std::size_t>(name), 'n');
    request.version = std::string(static_cast<std::size_t>(version), 'v');
    client.say(request);
    EXPECT_EQ(client.heard(), Lines{"disconnect 3501"});
  }
  World world;
  TestClient client(world);
  ConnectRequest request;
  request.name = std::string(16, 'n');
  request.version = std::string(64, 'v');
  client.say(request);
  EXPECT_FALSE(world.connected.empty());
}

TEST(Connecting, AfterAnErrorTheConnectionGetsStale) {
  World world;
  world.gate.admitted = client_error::token_expired;
  TestClient client(world);
  client.connect();
  client.wait(10s);
  EXPECT_EQ(client.heard(), (Lines{"1:error 109", "disconnect 3502"}));
}

TEST(Connecting, ADisconnectOfTheGatekeeperIsPassedOn) {
  World world;
  world.gate.admitted = disconnect_reason::invalid_token;
  TestClient client(world);
  client.connect();
  EXPECT_EQ(client.heard(), Lines{"disconnect 3500"});
}

TEST(Connecting, OneThatNeverComesIsStale) {
  World world;
  TestClient client(world);
  client.wait(9'999ms);
  EXPECT_TRUE(client.heard().empty());
  client.wait(1ms);
  EXPECT_EQ(client.heard(), Lines{"disconnect 3502"});
}

TEST(Connecting, AnExpiryInThePastIsError110) {
  World world;
  Admitted admitted = admitted_as("ann");
  admitted.expire_at = world.wall_seconds();
  world.gate.admitted = admitted;
  TestClient client(world);
  client.connect();
  EXPECT_EQ(client.heard(), Lines{"1:error 110"});
  EXPECT_TRUE(world.connected.empty());
}

TEST(Connecting, MoreConnectionsThanAllowedEndWith3504) {
  World world;
  world.connections_allowed = 1;
  TestClient first(world), second(world);
  first.connect();
  second.connect();
  EXPECT_EQ(first.heard(), Lines{"1:connect"});
  EXPECT_EQ(second.heard(), Lines{"disconnect 3504"});
}

TEST(Connecting, EmulatedTransportsLearnSessionAndNode) {
  World world;
  Session::Options options;
  options.emulated = true;
  TestClient client(world, options);
  client.connect();
  EXPECT_EQ(client.connect_result().session, client.session->secret());
  EXPECT_FALSE(client.session->secret().empty());
  EXPECT_NE(client.session->secret(), client.session->client());
  EXPECT_EQ(client.connect_result().node, "node");
}

TEST(Connecting, NativePingsLeaveOutThoseOfTheProtocol) {
  World world;
  Session::Options options;
  options.native_ping = true;
  TestClient client(world, options);
  client.connect();
  EXPECT_EQ(client.connect_result().ping, 0U);
  EXPECT_FALSE(client.connect_result().pong);
  client.wait(120s);
  EXPECT_EQ(client.heard(), Lines{"1:connect"});
}

TEST(Connecting, UnidirectionalClientsGetAPushAndNoPongIsExpected) {
  World world;
  Session::Options options;
  options.unidirectional = true;
  TestClient client(world, options);
  client.connect();
  client.wait(50s);
  EXPECT_EQ(client.heard(), (Lines{"connect", "ping", "ping"}));
  client.say(to("news"));
  EXPECT_EQ(client.heard(), Lines{"disconnect 3501"});
}

TEST(Connecting, UnidirectionalClientsAreToldErrorsByHowTheyAreDisconnected) {
  for (const auto& [error, line] : {std::pair{client_error::token_expired, "disconnect 3005"},
                                    std::pair{client_error::internal, "disconnect 3004"}}) {
    World world;
    world.gate.admitted = error;
    Session::Options options;
    options.unidirectional = true;
    TestClient client(world, options);
    client.connect();
    EXPECT_EQ(client.heard(), Lines{line});
  }
}

TEST(Connecting, ServerSideSubscriptionsComeWithTheReplyAndBeforeTheirPushes) {
  World world;
  world.gate.options = recoverable();
  world.publish("feed", "1");
  Admitted admitted = admitted_as("ann");
  admitted.subs["feed"] = {};
  admitted.subs["#ann"] = {};
  world.gate.admitted = admitted;
  TestClient client(world);
  client.connect();
  world.publish("feed", "2");
  EXPECT_EQ(client.heard(), (Lines{"1:connect", "pub feed#2 2"}));
  const auto& subs = client.connect_result().subs;
  ASSERT_EQ(subs.size(), 2U);
  EXPECT_TRUE(subs.at("feed").recoverable);
  EXPECT_EQ(subs.at("feed").position.offset, 1U);
  EXPECT_EQ(world.events.lines.front(), "connected");
  EXPECT_EQ(world.events.lines.size(), 3U);
}

TEST(Connecting, ServerSideSubscriptionsRecoverFromThePositionsOfTheRequest) {
  World world;
  world.gate.options = recoverable();
  for (const char* data : {"1", "2", "3"}) world.publish("feed", data);
  Admitted admitted = admitted_as("ann");
  admitted.subs["feed"] = {};
  world.gate.admitted = admitted;
  TestClient client(world);
  ConnectRequest request;
  request.subs["feed"].recover = true;
  request.subs["feed"].since = {1, world.broker.top("feed").epoch};
  client.say(request);
  const SubscribeResult& result = client.connect_result().subs.at("feed");
  EXPECT_TRUE(result.recovered);
  EXPECT_TRUE(result.was_recovering);
  EXPECT_EQ(result.position.offset, 1U);
  ASSERT_EQ(result.publications.size(), 2U);
  EXPECT_EQ(result.publications[0]->data, "2");
  EXPECT_EQ(result.publications[1]->data, "3");
}

TEST(Connecting, WhoRejectsAGapOfAServerSideSubscriptionGetsError112) {
  World world;
  world.gate.options = recoverable();
  world.publish("feed", "1");
  Admitted admitted = admitted_as("ann");
  admitted.subs["feed"] = {};
  world.gate.admitted = admitted;
  TestClient client(world);
  ConnectRequest request;
  request.subs["feed"].recover = true;
  request.subs["feed"].since = {0, "other"};
  request.subs["feed"].flag = flag_reject_unrecovered;
  client.say(request);
  EXPECT_EQ(client.heard(), Lines{"1:error 112"});
  EXPECT_EQ(world.hub.subscriptions(), 0U);
}

TEST(Connecting, WhatIsPublishedWhileItWaitsForItsSubscriptionsIsNotLost) {
  World world;
  world.gate.options = recoverable();
  Admitted admitted = admitted_as("ann");
  for (const char* channel : {"a", "b"}) admitted.subs[channel] = {};
  world.gate.admitted = admitted;
  int asked = 0;
  world.broker.delay = [&] { return std::chrono::milliseconds(10 * ++asked); };
  TestClient client(world);
  client.connect();
  for (int i = 0; i < 20; ++i) {
    world.publish("a", std::to_string(i));
    world.advance(13ms);
  }
  world.advance(10s);
  const Lines heard = client.heard();
  ASSERT_FALSE(heard.empty());
  EXPECT_EQ(heard.front(), "1:connect");
  const std::uint64_t from = client.connect_result().subs.at("a").position.offset;
  ASSERT_EQ(heard.size(), 21 - from);
  for (std::uint64_t i = from; i < 20; ++i)
    EXPECT_EQ(heard[1 + i - from], "pub a#" + std::to_string(i + 1) + " " + std::to_string(i));
}

TEST(Connecting, MoreServerSideSubscriptionsThanAllowedEndWith3505) {
  World world;
  world.settings.channel_limit = 1;
  Admitted admitted = admitted_as("ann");
  for (const char* channel : {"a", "b"}) admitted.subs[channel] = {};
  world.gate.admitted = admitted;
  TestClient client(world);
  client.connect();
  EXPECT_EQ(client.heard(), Lines{"disconnect 3505"});
}

TEST(Connecting, AnUnknownServerSideChannelIsAnErrorAndLeavesNothingBehind) {
  World world;
  Admitted admitted = admitted_as("ann");
  for (const char* channel : {"a", "nowhere:b"}) admitted.subs[channel] = {};
  world.gate.admitted = admitted;
  world.gate.unknown.insert("nowhere:b");
  TestClient client(world);
  client.connect();
  EXPECT_EQ(client.heard(), Lines{"1:error 102"});
  EXPECT_EQ(world.hub.subscriptions(), 0U);
  EXPECT_TRUE(world.connected.empty());
}

TEST(Connecting, ABrokenEngineIsATemporaryErrorOfTheConnection) {
  World world;
  world.broker.broken = true;
  Admitted admitted = admitted_as("ann");
  admitted.subs["a"] = {};
  world.gate.admitted = admitted;
  TestClient client(world);
  client.connect();
  EXPECT_EQ(client.heard(), Lines{"1:error 100"});
  EXPECT_EQ(world.hub.subscriptions(), 0U);
}

TEST(Connecting, AClientThatGoesWhileItIsJudgedLeavesNothingBehind) {
  World world;
  world.gate.waits = true;
  TestClient client(world);
  client.connect();
  client.session->closed(world.timeline.now());
  world.gate.let_one_go();
  EXPECT_TRUE(client.heard().empty());
  EXPECT_TRUE(world.connected.empty());
  EXPECT_TRUE(world.events.lines.empty());
}

TEST(Connecting, AClientThatIsDestroyedWhileItSubscribesLeavesNothingBehind) {
  World world;
  world.gate.options.presence = true;
  world.broker.delay = [] { return Duration(10ms); };
  {
    TestClient client(world);
    client.say(ConnectRequest{}, to("news"));
    world.advance(15ms);
    EXPECT_EQ(world.hub.subscriptions(), 1U);
    client.session.reset();
    EXPECT_EQ(world.hub.subscriptions(), 0U);
  }
  world.advance(1s);
  EXPECT_EQ(world.broker.presence_calls.size(), 2U);
  EXPECT_FALSE(world.broker.is_subscribed("news"));
  EXPECT_TRUE(world.connected.empty());
}

// ── Ping and pong ───────────────────────────────────────────────────────────────────────────────────────────────────
TEST(Pings, TheFirstComesInTheSecondHalfOfTheInterval) {
  for (const double random : {0.0, 0.5, 0.999}) {
    World world;
    world.random = random;
    TestClient client(world);
    client.connect();
    const auto expected = std::chrono::milliseconds(static_cast<int>(12'500 + 12'500 * random));
    client.wait(expected - 2ms);
    EXPECT_EQ(client.heard(), Lines{"1:connect"});
    client.wait(4ms);
    EXPECT_EQ(client.heard(), Lines{"ping"});
  }
}

TEST(Pings, WithoutAPongTheConnectionEndsWith3012) {
  World world;
  world.random = 0;
  TestClient client(world);
  client.connect();
  client.wait(12'500ms);
  client.wait(7'999ms);
  EXPECT_EQ(client.heard(), (Lines{"1:connect", "ping"}));
  client.wait(1ms);
  EXPECT_EQ(client.heard(), Lines{"disconnect 3012"});
  EXPECT_EQ(world.events.lines.back(), "disconnected 3012");
}

TEST(Pings, WithAPongTheyGoOnInTheirInterval) {
  World world;
  world.random = 0;
  TestClient client(world);
  client.connect();
  client.wait(12'500ms);
  client.pong();
  client.wait(25s);
  client.pong();
  EXPECT_EQ(client.heard(), (Lines{"1:connect", "ping", "ping"}));
}

TEST(Pings, AreNotSentWhenTheyAreSwitchedOff) {
  World world;
  world.settings.ping_interval = -1ms;
  TestClient client(world);
  client.connect();
  EXPECT_EQ(client.connect_result().ping, 0U);
  EXPECT_FALSE(client.connect_result().pong);
  client.wait(1h);
  EXPECT_EQ(client.heard(), Lines{"1:connect"});
}

TEST(Pings, NeedNoAnswerWhenThatIsSwitchedOff) {
  World world;
  world.random = 0;
  world.settings.pong_timeout = -1ms;
  TestClient client(world);
  client.connect();
  EXPECT_EQ(client.connect_result().ping, 25U);
  EXPECT_FALSE(client.connect_result().pong);
  client.wait(12'500ms);
  client.wait(25s);
  EXPECT_EQ(client.heard(), (Lines{"1:connect", "ping", "ping"}));
}

TEST(Pings, AnUnsolicitedPongIsABadRequest) {
  World world;
  world.random = 0;
  TestClient client(world);
  client.connect();
  client.wait(12'500ms);
  client.pong();
  client.pong();
  EXPECT_EQ(client.heard(), (Lines{"1:connect", "ping", "disconnect 3501"}));
}

TEST(Pings, APongIsHeardWhileACommandWaits) {
  World world;
  world.random = 0;
  TestClient client(world);
  client.connect();
  world.gate.waits = true;
  client.say(to("news"));
  client.wait(12'500ms);
  client.pong();
  client.wait(10s);
  EXPECT_EQ(client.heard(), (Lines{"1:connect", "ping"}));
}

// ── Expiry of the connection ────────────────────────────────────────────────────────────────────────────────────────
Admitted expiring(const World& world, std::int64_t seconds, bool by_server = false) {
  Admitted admitted = admitted_as("ann");
  admitted.expire_at = world.wall_seconds() + seconds;
  admitted.refreshed_by_server = by_server;
  return admitted;
}

void keep_alive(TestClient& client, std::chrono::seconds time) {
  for (std::chrono::seconds passed{0}; passed < time && !client.over; passed += 1s) {
    client.wait(1s);
    if (!client.log.empty() && client.log.back() == "ping") {
      client.log.pop_back();
      client.pong();
    }
  }
}

TEST(Expiry, IsToldAndEndsTheConnectionAfterItsGrace) {
  World world;
  world.gate.admitted = expiring(world, 60);
  TestClient client(world);
  client.connect();
  EXPECT_TRUE(client.connect_result().expires);
  EXPECT_EQ(client.connect_result().ttl, 60U);
  keep_alive(client, 84s);
  EXPECT_EQ(client.heard(), Lines{"1:connect"});
  keep_alive(client, 2s);
  EXPECT_EQ(client.heard(), Lines{"disconnect 3005"});
}

TEST(Expiry, AFarOneIsToldAsAYear) {
  World world;
  world.gate.admitted = expiring(world, 10'000'000'000);
  TestClient client(world);
  client.connect();
  EXPECT_EQ(client.connect_result().ttl, 365U * 24 * 60 * 60);
}

TEST(Expiry, ARefreshPutsItOff) {
  World world;
  world.gate.admitted = expiring(world, 60);
  TestClient client(world);
  client.connect();
  world.gate.refreshed = expiring(world, 600);
  client.say(RefreshRequest{"new"});
  EXPECT_EQ(client.heard(), (Lines{"1:connect", "2:refresh"}));
  const auto& result = std::get<RefreshResult>(client.replies.back().body);
  EXPECT_TRUE(result.expires);
  EXPECT_EQ(result.ttl, 600U);
  EXPECT_EQ(result.client, client.session->client());
  keep_alive(client, 100s);
  EXPECT_TRUE(client.heard().empty());
}

TEST(Expiry, ARefreshWithoutATokenOrAgainstTheBackendsWillIsABadRequest) {
  World world;
  TestClient client(world);
  client.connect();
  client.say(RefreshRequest{});
  EXPECT_EQ(client.heard(), (Lines{"1:connect", "disconnect 3501"}));
  world.gate.admitted = expiring(world, 60, true);
  TestClient other(world);
  other.connect();
  EXPECT_FALSE(other.connect_result().expires);
  other.say(RefreshRequest{"token"});
  EXPECT_EQ(other.heard(), (Lines{"1:connect", "disconnect 3501"}));
}

TEST(Expiry, ARefreshThatIsDeniedDisconnects) {
  World world;
  TestClient client(world);
  client.connect();
  world.gate.refreshed = disconnect_reason::expired;
  client.say(RefreshRequest{"old"});
  EXPECT_EQ(client.heard(), (Lines{"1:connect", "disconnect 3005"}));
}

TEST(Expiry, TheBackendIsAskedWhenTheTimeHasCome) {
  World world;
  world.gate.admitted = expiring(world, 60, true);
  TestClient client(world);
  client.connect();
  world.gate.refreshed = expiring(world, 120, true);
  keep_alive(client, 119s);
  EXPECT_EQ(client.heard(), Lines{"1:connect"});
  EXPECT_EQ(world.gate.asked, (Lines{"connect", "refresh_by_backend"}));
}

TEST(Expiry, ABackendThatDoesNotKnowIsAskedAgainUntilTheGraceEnds) {
  World world;
  world.gate.admitted = expiring(world, 60, true);
  TestClient client(world);
  client.connect();
  keep_alive(client, 70s);
  EXPECT_GE(world.gate.asked.size(), 5U);
  EXPECT_EQ(client.heard(), Lines{"1:connect"});
  keep_alive(client, 20s);
  EXPECT_EQ(client.heard(), Lines{"disconnect 3005"});
}

TEST(Expiry, ABackendThatSaysExpiredEndsItAtOnce) {
  World world;
  world.gate.admitted = expiring(world, 60, true);
  world.gate.refreshed = disconnect_reason::expired;
  TestClient client(world);
  client.connect();
  keep_alive(client, 61s);
  EXPECT_EQ(client.heard(), (Lines{"1:connect", "disconnect 3005"}));
}

TEST(Expiry, TheServersOwnRefreshIsPushed) {
  World world;
  TestClient client(world);
  client.connect();
  RefreshAnswer answer;
  answer.expire_at = world.wall_seconds() + 30;
  answer.meta = "{\"m\":1}";
  client.session->refresh(answer, world.timeline.now());
  EXPECT_EQ(client.heard(), (Lines{"1:connect", "refresh 30"}));
  EXPECT_EQ(client.session->caller().meta, "{\"m\":1}");
  answer.expired = true;
  client.session->refresh(answer, world.timeline.now());
  EXPECT_EQ(client.heard(), Lines{"disconnect 3005"});
}

}  // namespace
}  // namespace fairlead::server::testing

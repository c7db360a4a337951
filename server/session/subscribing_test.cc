// SPDX-License-Identifier: Apache-2.0
#include "session/subscribing_testing.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::server::testing {
namespace {

using namespace std::chrono_literals;

// ── Rules ───────────────────────────────────────────────────────────────────────────────────────────────────────────
TEST_F(Subscribing, TwiceIsError105) {
  client().say(to("news"), to("news"));
  EXPECT_EQ(client().heard(), (Lines{"2:subscribe", "3:error 105"}));
}

TEST_F(Subscribing, MoreChannelsThanAllowedAreError106) {
  world.settings.channel_limit = 2;
  client().say(to("a"), to("b"), to("c"), UnsubscribeRequest{"a"}, to("c"));
  EXPECT_EQ(client().heard(), (Lines{"2:subscribe", "3:subscribe", "4:error 106", "5:unsubscribe", "6:subscribe"}));
}

TEST_F(Subscribing, OtherTypesThanStreamsAreNotAvailable) {
  SubscribeRequest request = to("news");
  request.type = 1;
  client().say(request);
  EXPECT_EQ(client().heard(), Lines{"2:error 108"});
}

TEST_F(Subscribing, ARefusalIsTheGatekeepersAndIsRemembered) {
  world.gate.grants["news"] = client_error::permission_denied;
  client().subscribe("news");
  EXPECT_EQ(client().heard(), Lines{"2:error 103"});
  EXPECT_EQ(world.hub.subscriptions(), 0U);
  EXPECT_EQ(world.trace.why({client().session->client(), "", "news", 0, 10}).verdict, "refused");
  world.gate.grants["news"] = disconnect_reason::invalid_token;
  client().subscribe("news");
  EXPECT_EQ(client().heard(), Lines{"disconnect 3500"});
}

TEST_F(Subscribing, WithoutAHistoryThereIsNoPosition) {
  SubscribeRequest request = to("news");
  request.positioned = request.recoverable = true;
  client().say(request);
  const SubscribeResult& result = client().last_subscribe_result();
  EXPECT_FALSE(result.positioned || result.recoverable || result.recovered || result.was_recovering);
  EXPECT_EQ(result.position, StreamPosition{});
}

TEST_F(Subscribing, APositionIsGivenToWhoMayReadTheHistoryOrWhereItIsAllowed) {
  world.gate.options = recoverable();
  world.gate.options.force_recovery = false;
  SubscribeRequest request = to("a");
  request.positioned = true;
  client().say(request);
  EXPECT_TRUE(client().last_subscribe_result().positioned);
  EXPECT_FALSE(client().last_subscribe_result().recoverable);
  world.gate.may_read_history = false;
  request.channel = "b";
  client().say(request);
  EXPECT_FALSE(client().last_subscribe_result().positioned);
  world.gate.options.allow_recovery = true;
  request.channel = "c";
  request.recoverable = true;
  client().say(request);
  EXPECT_TRUE(client().last_subscribe_result().positioned);
  EXPECT_TRUE(client().last_subscribe_result().recoverable);
}

TEST_F(Subscribing, TheResultSaysWhereTheStreamIsAndWhatTheTokenBrought) {
  world.gate.grants["news"] = Granted{recoverable(), "", "\"hello\"", world.wall_seconds() + 90, false};
  for (const char* data : {"1", "2"}) world.publish("news", data);
  world.gate.options = recoverable();
  client().subscribe("news");
  const SubscribeResult& result = client().last_subscribe_result();
  EXPECT_EQ(result.position.epoch, epoch("news"));
  EXPECT_EQ(result.data, "\"hello\"");
  EXPECT_TRUE(result.expires);
  EXPECT_EQ(result.ttl, 90U);
}

TEST_F(Subscribing, AnExpiredGrantIsError110) {
  world.gate.grants["news"] = Granted{{}, "", "", world.wall_seconds(), false};
  client().subscribe("news");
  EXPECT_EQ(client().heard(), Lines{"2:error 110"});
}

TEST_F(Subscribing, AFilterNeedsPermissionAndSense) {
  SubscribeRequest request = to("news");
  request.filter = FilterNode{"", "room", "eq", "1", {}, {}};
  client().say(request);
  world.gate.options.allow_tags_filter = true;
  request.filter->cmp = "like";
  client().say(request);
  request.filter->cmp = "eq";
  client().say(request);
  EXPECT_EQ(client().heard(), (Lines{"2:error 107", "3:error 107", "4:subscribe"}));
}

TEST_F(Subscribing, ChannelsAreNamedByNumbersWhereBothSidesWantIt) {
  SubscribeRequest request = to("a");
  request.flag = flag_channel_compaction;
  client().say(request);
  EXPECT_EQ(client().last_subscribe_result().id, 0);
  world.gate.options.allow_channel_compaction = true;
  request.channel = "b";
  client().say(request);
  EXPECT_GT(client().last_subscribe_result().id, 0);
  EXPECT_EQ(client().last_subscribe_result().id, world.number_of("b"));
  client().log.clear();
  world.publish("a", "x");
  world.publish("b", "y");
  EXPECT_EQ(client().heard(), (Lines{"pub a x", "pub " + std::to_string(world.number_of("b")) + " y"}));
}

// An SDK that asks for numbers there would hear nothing: it compares them as objects.
TEST_F(Subscribing, ChannelsKeepTheirNamesInProtobuf) {
  world.gate.options.allow_channel_compaction = true;
  TestClient protobuf(world, {}, WireFormat::protobuf);
  protobuf.connect();
  SubscribeRequest request = to("a");
  request.flag = flag_channel_compaction;
  protobuf.say(request);
  EXPECT_EQ(protobuf.last_subscribe_result().id, 0);
  protobuf.log.clear();
  world.publish("a", "x");
  EXPECT_EQ(protobuf.heard(), Lines{"pub a x"});
}

// ── Joining without loss ────────────────────────────────────────────────────────────────────────────────────────────
TEST_F(Subscribing, TheReplyComesBeforeWhatWasPublishedMeanwhile) {
  world.gate.options = recoverable();
  client();
  world.broker.delay = [] { return Duration(10ms); };
  client().subscribe("news");
  world.advance(15ms);  // the node hears of it, the stream is being read
  world.broker.delay = [] { return Duration::zero(); };
  world.publish("news", "1");
  world.publish("news", "2");
  EXPECT_TRUE(client().heard().empty());
  world.advance(10ms);
  EXPECT_EQ(client().heard(), (Lines{"2:subscribe", "pub news#1 1", "pub news#2 2"}));
  EXPECT_EQ(client().last_subscribe_result().position.offset, 0U);
}

TEST_F(Subscribing, WhatTheStreamHadAlreadyIsNotToldTwice) {
  world.gate.options = recoverable();
  client();
  // The first event is late.
  world.broker.delay = [calls = 0]() mutable { return ++calls == 2 ? Duration(100ms) : Duration(10ms); };
  client().subscribe("news");
  world.publish("news", "1");
  world.advance(10ms);
  world.advance(10ms);
  EXPECT_EQ(client().heard(), Lines{"2:subscribe"});
  EXPECT_EQ(client().last_subscribe_result().position.offset, 1U);
  world.advance(1s);
  EXPECT_TRUE(client().heard().empty());
}

TEST_F(Subscribing, AGapOnTheWayDisconnects) {
  world.gate.options = recoverable();
  client();
  world.broker.delay = [] { return Duration(10ms); };
  client().subscribe("news");
  world.advance(15ms);
  world.broker.delay = [] { return Duration::zero(); };
  world.broker.loses_event = [] { return true; };
  world.publish("news", "1");
  world.broker.loses_event = nullptr;
  world.publish("news", "2");
  world.advance(10ms);
  EXPECT_EQ(client().heard(), Lines{"disconnect 3010"});
  EXPECT_EQ(world.metrics.gaps, 1U);
  EXPECT_EQ(world.hub.subscriptions(), 0U);
}

TEST_F(Subscribing, ASecondClientWaitsForTheNodeToo) {
  TestClient other(world);
  other.connect();
  client();
  world.broker.delay = [] { return Duration(10ms); };
  client().subscribe("news");
  world.advance(5ms);
  other.subscribe("news");
  EXPECT_EQ(other.heard(), Lines{"1:connect"});
  world.advance(5ms);
  EXPECT_EQ(other.heard(), Lines{"2:subscribe"});
}

TEST_F(Subscribing, OneThatLeavesWhileItJoinsIsNotAnswered) {
  world.gate.options.presence = true;
  client();
  world.broker.delay = [] { return Duration(10ms); };
  client().subscribe("news");
  world.advance(12ms);
  client().session->closed(world.timeline.now());
  world.advance(1s);
  EXPECT_TRUE(client().heard().empty());
  EXPECT_EQ(world.broker.presence_calls, (Lines{"+news c1", "-news c1"}));
  EXPECT_EQ(world.hub.subscriptions(), 0U);
}

TEST_F(Subscribing, TheServerMayTakeAwayOneThatIsStillJoining) {
  client();
  world.broker.delay = [] { return Duration(10ms); };
  client().subscribe("news");
  client().session->unsubscribe("news", unsubscribe_reason::server, world.timeline.now());
  EXPECT_EQ(client().heard(), Lines{"2:error 103"});
  client().subscribe("sport");
  client().session->unsubscribe("sport", unsubscribe_reason::insufficient_state, world.timeline.now());
  EXPECT_EQ(client().heard(), Lines{"3:error 100"});
  world.advance(1s);
  EXPECT_TRUE(client().heard().empty());
  EXPECT_EQ(world.hub.subscriptions(), 0U);
}

// ── Presence, joins and leaves ──────────────────────────────────────────────────────────────────────────────────────
TEST_F(Subscribing, PresenceIsAddedRenewedAndTakenBack) {
  world.gate.options.presence = true;
  client().subscribe("news");
  EXPECT_EQ(world.broker.presence_calls, Lines{"+news c1"});
  client().wait(20s);
  client().pong();
  client().wait(7s);
  EXPECT_EQ(world.broker.presence_calls, (Lines{"+news c1", "+news c1"}));
  client().say(UnsubscribeRequest{"news"});
  EXPECT_EQ(world.broker.presence_calls.back(), "-news c1");
  EXPECT_EQ(world.broker.presence_calls.size(), 3U);
}

TEST_F(Subscribing, JoinsAndLeavesAreToldToWhoMayHearThemAndTheOwnJoinToo) {
  world.gate.options.join_leave = true;
  SubscribeRequest request = to("news");
  request.join_leave = true;
  client().say(request);
  EXPECT_EQ(client().heard(), (Lines{"2:subscribe", "join news c1"}));
  TestClient other(world);
  other.connect();
  world.gate.may_read_presence = false;
  other.say(request);
  EXPECT_EQ(other.heard(), (Lines{"1:connect", "2:subscribe"}));
  EXPECT_EQ(client().heard(), Lines{"join news c2"});
  other.session->closed(world.timeline.now());
  EXPECT_EQ(client().heard(), Lines{"leave news c2"});
}

TEST_F(Subscribing, ForcedJoinsAndLeavesNeedNoQuestion) {
  world.gate.options.join_leave = world.gate.options.force_push_join_leave = true;
  world.gate.may_read_presence = false;
  client().subscribe("news");
  EXPECT_EQ(client().heard(), (Lines{"2:subscribe", "join news c1"}));
}

TEST_F(Subscribing, WhoLeavesGoesFromThePresenceBeforeTheLeaveIsTold) {
  world.gate.options.presence = world.gate.options.join_leave = world.gate.options.force_push_join_leave = true;
  TestClient other(world);
  other.connect();
  other.subscribe("news");
  client().subscribe("news");
  other.log.clear();
  client().session->closed(world.timeline.now());
  EXPECT_EQ(other.heard(), Lines{"leave news c2"});
  other.say(PresenceRequest{"news"});
  EXPECT_EQ(std::get<PresenceResult>(other.replies.back().body).presence.size(), 1U);
}

// ── The server subscribes and unsubscribes ──────────────────────────────────────────────────────────────────────────
TEST_F(Subscribing, TheServersOwnIsPushedBeforeItsPublications) {
  world.gate.options = recoverable();
  for (const char* data : {"1", "2"}) world.publish("news", data);
  ServerSubscription subscription;
  subscription.data = "\"d\"";
  client().session->subscribe("news", subscription, StreamPosition{1, epoch("news")}, world.timeline.now());
  world.publish("news", "3");
  EXPECT_EQ(client().heard(), (Lines{"subscribe news", "pub news#2 2", "pub news#3 3"}));
  const auto& push = std::get<SubscribePush>(client().pushes.back().body);
  EXPECT_TRUE(push.recoverable);
  EXPECT_EQ(push.data, "\"d\"");
  client().subscribe("news");
  EXPECT_EQ(client().heard(), Lines{"2:error 105"});
  EXPECT_EQ(client().session->channels(), Lines{"news"});
}

TEST_F(Subscribing, TheServersOwnWaitsUntilTheClientIsConnected) {
  world.gate.waits = true;
  TestClient other(world);
  other.connect();
  other.session->subscribe("news", {}, std::nullopt, world.timeline.now());
  EXPECT_TRUE(other.heard().empty());
  world.gate.let_one_go();
  EXPECT_EQ(other.heard(), (Lines{"1:connect", "subscribe news"}));
}

TEST_F(Subscribing, TheServersOwnDoNotCountForTheLimit) {
  world.settings.channel_limit = 1;
  client().session->subscribe("a", {}, std::nullopt, world.timeline.now());
  client().session->subscribe("b", {}, std::nullopt, world.timeline.now());
  client().say(to("c"), to("d"));
  EXPECT_EQ(client().heard(), (Lines{"subscribe a", "subscribe b", "2:subscribe", "3:error 106"}));
}

TEST_F(Subscribing, TheServerUnsubscribesWithAPush) {
  client().subscribe("news");
  client().session->unsubscribe("news", unsubscribe_reason::server, world.timeline.now());
  client().session->unsubscribe("news", unsubscribe_reason::server, world.timeline.now());
  world.publish("news", "1");
  EXPECT_EQ(client().heard(), (Lines{"2:subscribe", "unsubscribe news 2000"}));
  EXPECT_EQ(world.events.lines.back(), "unsubscribed news 2000");
}

TEST_F(Subscribing, TheEndOfAConnectionIsTheEndOfItsSubscriptionsInTheEvents) {
  client().subscribe("news");
  client().session->disconnect(disconnect_reason::force_disconnect, world.timeline.now());
  EXPECT_EQ(client().heard(), (Lines{"2:subscribe", "disconnect 3503"}));
  EXPECT_EQ(world.events.lines, (Lines{"connected", "subscribed news", "unsubscribed news 3503", "disconnected 3503"}));
  EXPECT_EQ(world.hub.subscriptions(), 0U);
  EXPECT_FALSE(world.broker.is_subscribed("news"));
}

// ── Revoked tokens ──────────────────────────────────────────────────────────────────────────────────────────────────
struct SubscriptionRevocation : Subscribing {
  static Granted granted_by(const char* id, std::int64_t issued_at = 0) {
    return {recoverable(), "", "", 0, false, TokenIdentity{id, issued_at}};
  }
  void revoke(const std::string& id) {
    client().session->unsubscribe_revoked([id](const TokenIdentity& token) { return token.id == id; },
                                          world.timeline.now());
  }
};

TEST_F(SubscriptionRevocation, TakesAwayWhatTheTokenHadGrantedAndNothingElse) {
  world.gate.grants["a"] = granted_by("one");
  world.gate.grants["b"] = granted_by("two");
  client().say(to("a"), to("b"), to("without a token"));
  client().log.clear();
  revoke("one");
  EXPECT_EQ(client().heard(), Lines{"unsubscribe a 2000"});
  revoke("");
  EXPECT_TRUE(client().heard().empty());
  EXPECT_EQ(world.hub.subscriptions(), 2U);
}

TEST_F(SubscriptionRevocation, HoldsForTheTokenOfTheLastRefresh) {
  world.gate.grants["a"] = granted_by("one");
  client().subscribe("a");
  world.gate.sub_refreshed = granted_by("two", 7);
  client().say(SubRefreshRequest{"a", "token", 0});
  client().log.clear();
  revoke("one");
  EXPECT_TRUE(client().heard().empty());
  std::int64_t issued_at = 0;
  const auto note = [&](const TokenIdentity& token) {
    issued_at = token.issued_at;
    return false;
  };
  client().session->unsubscribe_revoked(note, world.timeline.now());
  EXPECT_EQ(issued_at, 7);
  revoke("two");
  EXPECT_EQ(client().heard(), Lines{"unsubscribe a 2000"});
}

TEST_F(SubscriptionRevocation, RefusesOneThatIsStillJoining) {
  client();
  world.gate.grants["a"] = granted_by("one");
  world.broker.delay = [] { return Duration(10ms); };
  client().subscribe("a");
  revoke("one");
  EXPECT_EQ(client().heard(), Lines{"2:error 103"});
  world.advance(100ms);
  EXPECT_EQ(world.hub.subscriptions(), 0U);
}

// ── Expiry of a subscription ────────────────────────────────────────────────────────────────────────────────────────
struct SubscriptionExpiry : Subscribing {
  Granted granted_for(std::int64_t seconds, bool by_server = false) {
    return {{}, "", "", world.wall_seconds() + seconds, by_server};
  }
  void wait(std::chrono::seconds time) {
    for (std::chrono::seconds passed{0}; passed < time && !client().over; passed += 1s) {
      client().wait(1s);
      if (std::erase(client().log, "ping") > 0) client().pong();
    }
  }
};

TEST_F(SubscriptionExpiry, AClientsOwnEndsWith2501AfterItsGrace) {
  world.gate.grants["news"] = granted_for(10);
  client().subscribe("news");
  wait(34s);
  EXPECT_EQ(client().heard(), Lines{"2:subscribe"});
  wait(2s);
  EXPECT_EQ(client().heard(), Lines{"unsubscribe news 2501"});
}

TEST_F(SubscriptionExpiry, ARefreshPutsItOff) {
  world.gate.grants["news"] = granted_for(10);
  client().subscribe("news");
  world.gate.sub_refreshed = granted_for(100);
  client().say(SubRefreshRequest{"news", "token", 0});
  EXPECT_EQ(client().heard(), (Lines{"2:subscribe", "3:sub_refresh"}));
  EXPECT_EQ(std::get<SubRefreshResult>(client().replies.back().body).ttl, 100U);
  wait(60s);
  EXPECT_TRUE(client().heard().empty());
}

TEST_F(SubscriptionExpiry, ARefreshOfWhatIsNotSubscribedIsError103) {
  client().say(SubRefreshRequest{"news", "token", 0});
  EXPECT_EQ(client().heard(), Lines{"2:error 103"});
}

TEST_F(SubscriptionExpiry, ARefreshWithoutATokenIsABadRequest) {
  client().subscribe("news");
  client().say(SubRefreshRequest{"news", "", 0});
  EXPECT_EQ(client().heard(), (Lines{"2:subscribe", "disconnect 3501"}));
}

TEST_F(SubscriptionExpiry, TheBackendIsAskedAndItsErrorsAreBornUntilTheGraceEnds) {
  world.gate.grants["news"] = granted_for(10, true);
  client().subscribe("news");
  EXPECT_FALSE(client().last_subscribe_result().expires);
  world.gate.sub_refreshed = granted_for(20, true);
  wait(15s);
  EXPECT_EQ(world.gate.asked.back(), "sub_refresh news ");
  world.gate.sub_refreshed = client_error::internal;
  wait(25s);
  EXPECT_EQ(client().heard(), Lines{"2:subscribe"});
  wait(10s);
  EXPECT_EQ(client().heard(), Lines{"unsubscribe news 2501"});
}

TEST_F(SubscriptionExpiry, TheServersOwnEndsTheConnectionWith3006) {
  ServerSubscription subscription;
  subscription.expire_at = world.wall_seconds() + 5;
  client().session->subscribe("news", subscription, std::nullopt, world.timeline.now());
  wait(31s);
  EXPECT_EQ(client().heard(), (Lines{"subscribe news", "disconnect 3006"}));
}

}  // namespace
}  // namespace fairlead::server::testing

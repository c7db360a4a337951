// SPDX-License-Identifier: Apache-2.0
#include "session/session_testing.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::server::testing {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

// A client that is connected already.
struct Commands : ::testing::Test {
  World world;
  std::unique_ptr<TestClient> made;
  TestClient& client(WireFormat format = WireFormat::json) {
    if (!made) {
      made = std::make_unique<TestClient>(world, Session::Options{}, format);
      made->connect();
      made->log.clear();
    }
    return *made;
  }
};

TEST_F(Commands, OneFrameIsAnsweredInItsOrder) {
  client().say(to("news"), publication("news", "1"), UnsubscribeRequest{"news"}, publication("news", "2"));
  EXPECT_EQ(client().heard(), (Lines{"2:subscribe", "pub news 1", "3:publish", "4:unsubscribe", "5:publish"}));
}

TEST_F(Commands, OneThatWaitsHoldsBackTheLaterOnes) {
  client();
  world.gate.waits = true;
  client().say(to("news"), PresenceRequest{"news"});
  client().say(UnsubscribeRequest{"news"});
  EXPECT_TRUE(client().heard().empty());
  EXPECT_EQ(world.gate.asked, (Lines{"connect", "subscribe news"}));
  world.gate.let_one_go();
  EXPECT_EQ(client().heard(), (Lines{"2:subscribe", "3:error 108", "4:unsubscribe"}));
  EXPECT_GT(client().changes, 0);
}

TEST_F(Commands, ManyThatWaitMakeTheSessionBusy) {
  world.settings.commands_in_flight = 3;
  client();
  world.gate.waits = true;
  client().say(to("a"));
  EXPECT_FALSE(client().session->busy());
  client().say(to("b"), to("c"), to("d"));
  EXPECT_TRUE(client().session->busy());
  world.gate.let_one_go();
  EXPECT_FALSE(client().session->busy());
}

// A loop on which one costly command fills the share of a turn.
struct CostlyCommands : Commands {
  CostlyCommands() { world.environment().turnstile = &turnstile; }
  void next_turn() {
    for (const auto& turn : std::exchange(turns, {})) turn();
  }
  TimePoint clock;
  std::vector<std::function<void()>> turns;
  Turnstile turnstile{[this] { return clock += Turnstile::share; },
                      [this](std::function<void()> turn) { turns.push_back(std::move(turn)); }};
};

TEST_F(CostlyCommands, PastTheTurnsShareTheyWaitAndHoldBackTheLaterOnes) {
  client();
  next_turn();
  client().say(to("news"), to("more"), publication("news", "1"));
  EXPECT_EQ(client().heard(), (Lines{"2:subscribe"}));
  next_turn();
  EXPECT_EQ(client().heard(), (Lines{"3:subscribe", "pub news 1", "4:publish"}));
  client().say(HistoryRequest{"news", 0, std::nullopt, false}, PresenceRequest{"news"});
  EXPECT_TRUE(client().heard().empty()) << "this turn's share has gone";
  next_turn();
  EXPECT_EQ(client().heard(), (Lines{"5:error 108"}));
  next_turn();
  EXPECT_EQ(client().heard().size(), 1U);
}

TEST_F(CostlyCommands, WhatEverybodyDoesAllTheTimeDoesNotWaitForThem) {
  TestClient other(world);
  other.connect();
  next_turn();
  client();
  next_turn();
  client().say(to("news"));
  client().say(to("more"));
  other.log.clear();
  other.say(publication("news", "1"));
  EXPECT_EQ(other.heard(), (Lines{"2:publish"}));
  EXPECT_EQ(client().heard(), (Lines{"2:subscribe", "pub news 1"}));
  EXPECT_EQ(turnstile.waiting(), 1U);
}

TEST_F(CostlyCommands, ToConnectIsOneOfThem) {
  client();
  TestClient other(world);
  other.say(ConnectRequest{}, to("news"));
  EXPECT_TRUE(other.heard().empty());
  next_turn();
  EXPECT_EQ(other.heard(), (Lines{"1:connect"}));
  next_turn();
  EXPECT_EQ(other.heard(), (Lines{"2:subscribe"}));
}

TEST_F(CostlyCommands, OneWhoseClientHasGoneIsNotDone) {
  client();
  next_turn();
  client().say(to("news"), to("more"));
  EXPECT_EQ(turnstile.waiting(), 1U);
  made.reset();
  next_turn();
  EXPECT_EQ(turnstile.waiting(), 0U);
  EXPECT_EQ(world.hub.subscriptions(), 0U);
}

TEST_F(Commands, PublicationsGoToTheEngineInOrderWithoutWaitingForIt) {
  client();
  world.broker.delay = [] { return Duration(10ms); };
  client().say(publication("news", "1"), publication("news", "2"), UnsubscribeRequest{"news"});
  EXPECT_EQ(world.gate.asked, (Lines{"connect", "publish news", "publish news"}));
  EXPECT_TRUE(client().heard().empty());
  world.advance(10ms);
  EXPECT_EQ(client().heard(), (Lines{"2:publish", "3:publish", "4:unsubscribe"}));
}

// What is kept may wait for a disk, what only passes through does not.
TEST_F(Commands, PublicationsThatAreKeptAndThoseThatAreNotDoNotOvertakeEachOther) {
  world.gate.options_of["kept"] = recoverable();
  client().subscribe("kept");
  client().subscribe("passing");
  client().log.clear();
  world.broker.publish_delay = [](const PublishOptions& how) { return Duration(how.history_size > 0 ? 10ms : 0ms); };
  client().say(publication("kept", "1"), publication("kept", "2"), publication("passing", "3"),
               publication("passing", "4"), publication("kept", "5"));
  EXPECT_TRUE(client().heard().empty());
  world.advance(10ms);
  EXPECT_EQ(client().heard(), (Lines{"pub kept#1 1", "4:publish", "pub kept#2 2", "5:publish", "pub passing 3",
                                     "6:publish", "pub passing 4", "7:publish"}));
  world.advance(10ms);
  EXPECT_EQ(client().heard(), (Lines{"pub kept#3 5", "8:publish"}));
}

TEST_F(Commands, WithoutAnIdOrWithoutABodyTheyAreABadRequest) {
  client().session->receive({Command{0, to("news")}}, world.timeline.now());
  EXPECT_EQ(client().heard(), Lines{"disconnect 3501"});
  TestClient other(world);
  other.connect();
  other.session->receive({Command{7, {}}}, world.timeline.now());
  EXPECT_EQ(other.heard(), (Lines{"1:connect", "disconnect 3501"}));
}

TEST_F(Commands, NothingIsSaidAfterADisconnect) {
  client().say(SendRequest{"x"}, to("news"), publication("news", "1"));
  EXPECT_EQ(client().heard(), Lines{"disconnect 3508"});
  client().say(to("news"));
  client().wait(100s);
  EXPECT_TRUE(client().heard().empty());
  EXPECT_FALSE(client().session->deadline());
}

TEST_F(Commands, AnEmptyChannelIsABadRequest) {
  client().say(UnsubscribeRequest{""});
  EXPECT_EQ(client().heard(), Lines{"disconnect 3501"});
}

TEST_F(Commands, PingsAreTheServers) {
  client().say(PingRequest{});
  EXPECT_EQ(client().heard(), Lines{"2:error 108"});
}

TEST_F(Commands, UnsubscribeIsIdempotent) {
  client().say(UnsubscribeRequest{"news"});
  client().subscribe("news");
  client().say(UnsubscribeRequest{"news"}, UnsubscribeRequest{"news"});
  EXPECT_EQ(client().heard(), (Lines{"2:unsubscribe", "3:subscribe", "4:unsubscribe", "5:unsubscribe"}));
  EXPECT_FALSE(world.broker.is_subscribed("news"));
  EXPECT_EQ(world.events.lines, (Lines{"connected", "subscribed news", "unsubscribed news"}));
}

// ── Publish ─────────────────────────────────────────────────────────────────────────────────────────────────────────
TEST_F(Commands, AnEmptyPublicationIsError107) {
  client().say(publication("news", ""));
  EXPECT_EQ(client().heard(), Lines{"2:error 107"});
}

TEST_F(Commands, AForbiddenPublicationIsTheGatekeepersError) {
  world.gate.publications["news"] = client_error::permission_denied;
  client().say(publication("news", "1"));
  EXPECT_EQ(client().heard(), Lines{"2:error 103"});
  EXPECT_EQ(world.metrics.errors, 1U);
}

TEST_F(Commands, APublicationCarriesItsPublisherAndWhatTheBackendMadeOfIt) {
  world.gate.options = recoverable();
  PublishAnswer answer;
  answer.data = "{\"changed\":\n1}";
  answer.tags["room"] = "1";
  world.gate.publications["news"] = answer;
  client().say(publication("news", "1"));
  EXPECT_EQ(client().heard(), Lines{"2:publish"});
  HistoryRequest request{"news", -1, {}, false};
  client().say(request);
  const auto& result = std::get<HistoryResult>(client().replies.back().body);
  ASSERT_EQ(result.publications.size(), 1U);
  const Publication& kept = *result.publications.front();
  EXPECT_EQ(kept.data.find('\n'), std::string::npos);
  EXPECT_TRUE(kept.json);
  EXPECT_EQ(kept.tags.at("room"), "1");
  ASSERT_TRUE(kept.info);
  EXPECT_EQ(kept.info->user, "ann");
  EXPECT_EQ(kept.info->client, client().session->client());
  EXPECT_GT(kept.time_ms, 0);
}

TEST_F(Commands, ABinaryClientsPayloadIsJsonOnlyWhenItIsJson) {
  world.gate.options = recoverable();
  client(WireFormat::protobuf).say(publication("news", "{\"a\": 1}"), publication("news", "\x01\x02"));
  client().say(HistoryRequest{"news", -1, {}, false});
  const auto& kept = std::get<HistoryResult>(client().replies.back().body).publications;
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_TRUE(kept[0]->json);
  EXPECT_FALSE(kept[1]->json);
  EXPECT_EQ(kept[1]->data, "\x01\x02");
}

TEST_F(Commands, ABrokenEngineIsATemporaryError) {
  client();
  world.broker.broken = true;
  client().say(publication("news", "1"), to("news"));
  EXPECT_EQ(client().heard(), (Lines{"2:error 100", "3:error 100"}));
  EXPECT_TRUE(std::get<ClientError>(client().replies.back().body).temporary);
  EXPECT_EQ(world.hub.subscriptions(), 0U);
}

// ── Questions ───────────────────────────────────────────────────────────────────────────────────────────────────────
TEST_F(Commands, PresenceIsAskedOfTheEngineWhenItIsAllowed) {
  world.gate.options.presence = true;
  client().subscribe("news");
  client().say(PresenceRequest{"news"}, PresenceStatsRequest{"news"});
  EXPECT_EQ(client().heard(), (Lines{"2:subscribe", "3:presence", "4:presence_stats"}));
  EXPECT_EQ(std::get<PresenceStatsResult>(client().replies.back().body).stats, (PresenceStats{1, 1}));
  world.gate.may_read_presence = false;
  client().say(PresenceRequest{"news"});
  EXPECT_EQ(client().heard(), Lines{"5:error 103"});
}

TEST_F(Commands, HistoryHasItsLimits) {
  world.gate.options = recoverable();
  world.settings.history_max_publication_limit = 3;
  for (int i = 1; i <= 5; ++i) world.publish("news", std::to_string(i));
  client();
  const auto ask = [&](std::int32_t limit, std::optional<StreamPosition> since, bool reverse) {
    client().say(HistoryRequest{"news", limit, std::move(since), reverse});
    std::string text;
    for (const auto& one : std::get<HistoryResult>(client().replies.back().body).publications) text += one->data;
    return text;
  };
  const std::string epoch = world.broker.top("news").epoch;
  EXPECT_EQ(ask(0, {}, false), "");
  EXPECT_EQ(std::get<HistoryResult>(client().replies.back().body).position, (StreamPosition{5, epoch}));
  EXPECT_EQ(ask(2, {}, false), "12");
  EXPECT_EQ(ask(-1, {}, false), "123");
  EXPECT_EQ(ask(1'000, {}, false), "123");
  EXPECT_EQ(ask(2, {}, true), "54");
  EXPECT_EQ(ask(10, StreamPosition{3, epoch}, false), "45");
  EXPECT_EQ(ask(10, StreamPosition{3, ""}, true), "21");
  client().log.clear();
  client().say(HistoryRequest{"news", 10, StreamPosition{3, "other"}, false});
  EXPECT_EQ(client().heard(), Lines{"9:error 112"});
}

TEST_F(Commands, RpcIsTheGatekeepersAnswer) {
  client().say(RpcRequest{"{}", "unknown"});
  world.gate.rpc_answer = RpcAnswer{"42"};
  client().say(RpcRequest{"{}", "known"});
  EXPECT_EQ(client().heard(), (Lines{"2:error 108", "3:rpc"}));
  EXPECT_EQ(std::get<RpcResult>(client().replies.back().body).data, "42");
}

TEST_F(Commands, AMessageOfTheServerIsPushed) {
  client().session->send("hello");
  EXPECT_EQ(client().heard(), Lines{"message hello"});
}

// ── Pace ────────────────────────────────────────────────────────────────────────────────────────────────────────────
TEST_F(Commands, PublicationsBeyondTheRateAreError111AndComeBackWithTime) {
  world.settings.publishes_per_second = 1;
  client().say(publication("n", "1"), publication("n", "2"), publication("n", "3"));
  EXPECT_EQ(client().heard(), (Lines{"2:publish", "3:publish", "4:error 111"}));
  client().wait(1s);
  client().say(publication("n", "4"), publication("n", "5"));
  EXPECT_EQ(client().heard(), (Lines{"5:publish", "6:error 111"}));
}

TEST_F(Commands, TenTimesTheRateEndsTheConnection) {
  world.settings.commands_per_second = 2;
  client();
  std::vector<Command> flood;
  for (std::uint32_t i = 0; i < 100; ++i) flood.push_back({i + 10, PresenceRequest{"n"}});
  client().session->receive(flood, world.timeline.now());
  const Lines heard = client().heard();
  EXPECT_EQ(heard.back(), "disconnect 3013");
  EXPECT_EQ(heard.size(), 41U);
}

TEST_F(Commands, SubscriptionsAndCallsHaveTheirOwnRates) {
  world.settings.subscribes_per_second = 0.5;
  world.settings.rpcs_per_second = 0.5;
  client().say(to("a"), to("b"), RpcRequest{"1", "m"}, RpcRequest{"1", "m"});
  EXPECT_EQ(client().heard(), (Lines{"2:subscribe", "3:error 111", "4:error 108", "5:error 111"}));
}

TEST_F(Commands, AllConnectionsOfAUserShareARateForEachOperation) {
  world.settings.user_publishes_per_second = 5;
  world.settings.user_subscribes_per_second = 5;
  world.settings.user_rpcs_per_second = 5;
  world.settings.user_commands_per_second = 5;
  client().say(publication("n", "1"));
  world.exhausted = {UserOperation::publish};
  client().say(publication("n", "2"), to("a"));
  world.exhausted = {UserOperation::subscribe, UserOperation::rpc};
  client().say(to("b"), RpcRequest{"1", "m"}, publication("n", "3"));
  world.exhausted = {UserOperation::command};
  client().say(PresenceRequest{"n"});
  EXPECT_EQ(client().heard(), (Lines{"2:publish", "3:error 111", "4:subscribe", "5:error 111", "6:error 111",
                                     "7:publish", "8:error 111"}));
}

TEST_F(Commands, TooManyErrorsEndTheConnection) {
  world.settings.max_errors = 2;
  client().say(PingRequest{}, PingRequest{}, PingRequest{}, PingRequest{});
  EXPECT_EQ(client().heard(), (Lines{"2:error 108", "3:error 108", "4:error 108", "disconnect 3509"}));
}

TEST_F(Commands, RepliesThatNobodyReadsEndTheConnection) {
  world.settings.queue_max_bytes = 1'000;
  client().bytes_per_message = 300;
  client().queued = 0;
  for (int i = 0; i < 5; ++i) client().say(UnsubscribeRequest{"news"});
  EXPECT_EQ(client().heard(),
            (Lines{"2:unsubscribe", "3:unsubscribe", "4:unsubscribe", "5:unsubscribe", "disconnect 3008"}));
}

TEST_F(Commands, AReplyThatIsLargerThanTheQueueDoesNotMakeItsReaderSlow) {
  world.settings.queue_max_bytes = 1'000;
  client().bytes_per_message = 5'000;
  client().queued = 0;
  for (int i = 0; i < 3; ++i) {
    client().say(UnsubscribeRequest{"news"});
    client().drain();
  }
  EXPECT_EQ(client().heard(), (Lines{"2:unsubscribe", "3:unsubscribe", "4:unsubscribe"}));
}

}  // namespace
}  // namespace fairlead::server::testing

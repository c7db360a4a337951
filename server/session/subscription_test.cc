// SPDX-License-Identifier: Apache-2.0
#include "session/session_testing.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::server::testing {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

// A client that is subscribed to "news".
struct Live : ::testing::Test {
  World world;
  std::unique_ptr<TestClient> made;
  SubscribeRequest request = to("news");
  TestClient& client() {
    if (!made) {
      made = std::make_unique<TestClient>(world);
      made->connect();
      made->say(request);
      made->log.clear();
    }
    return *made;
  }
  void publish(std::initializer_list<const char*> all) {
    for (const char* data : all) world.publish("news", data);
  }
  void lose(const char* data) {
    world.broker.loses_event = [] { return true; };
    world.publish("news", data);
    world.broker.loses_event = nullptr;
  }
  void deliver(std::uint64_t offset, const std::string& epoch, const std::string& data) {
    auto publication = std::make_shared<Publication>();
    publication->data = data;
    publication->offset = offset;
    world.on_publication("news", std::move(publication), {offset, epoch}, nullptr);
  }
  // Offset and payload of each, as they come in one turn of a loop.
  void deliver_together(const std::vector<std::pair<std::uint64_t, std::string>>& all) {
    std::vector<DeliveryPtr> deliveries;
    for (const auto& [offset, data] : all) {
      auto publication = std::make_shared<Publication>();
      publication->data = data;
      publication->offset = offset;
      const StreamPosition position{offset, offset > 0 ? world.broker.top("news").epoch : ""};
      deliveries.push_back(
          std::make_shared<const Delivery>(world, "news", 1, std::move(publication), position, nullptr));
    }
    world.hub.deliver(DeliveryBatch::first_of(deliveries));
  }
};

// ── Several at once ─────────────────────────────────────────────────────────────────────────────────────────────────
TEST_F(Live, SeveralAtOnceComeInTheirOrder) {
  client();
  deliver_together({{0, "a"}, {0, "b"}, {0, "c"}});
  EXPECT_EQ(client().heard(), (Lines{"pub news a", "pub news b", "pub news c"}));
  EXPECT_EQ(world.metrics.publications, 3U);
}

TEST_F(Live, SeveralAtOnceMoveThePosition) {
  world.gate.options = recoverable();
  client();
  publish({"a"});
  deliver_together({{2, "b"}, {3, "c"}});
  deliver(3, world.broker.top("news").epoch, "c");
  deliver(4, world.broker.top("news").epoch, "d");
  EXPECT_EQ(client().heard(), (Lines{"pub news#1 a", "pub news#2 b", "pub news#3 c", "pub news#4 d"}));
}

TEST_F(Live, WhatIsKnownOfSeveralIsLeftOutAndAGapAmongThemIsNoticed) {
  world.gate.options = recoverable();
  client();
  publish({"a"});
  deliver_together({{1, "a"}, {2, "b"}});
  EXPECT_EQ(client().heard(), (Lines{"pub news#1 a", "pub news#2 b"}));
  deliver_together({{3, "c"}, {5, "e"}});
  EXPECT_EQ(client().heard(), (Lines{"pub news#3 c", "unsubscribe news 2500"}));
}

TEST_F(Live, SeveralThatFindNoRoomAreJudgedOneByOne) {
  world.gate.options.slow_policy = SlowPolicy::drop_oldest;
  world.gate.options.slow_queue_messages = 1;
  client();
  client().queued = world.settings.queue_max_bytes;
  deliver_together({{0, "a"}, {0, "b"}, {0, "c"}});
  EXPECT_EQ(world.metrics.dropped, 2U);
  client().drain();
  EXPECT_EQ(client().heard(), (Lines{"pub news c"}));
}

// ── Positions ───────────────────────────────────────────────────────────────────────────────────────────────────────
TEST_F(Live, PublicationsFollowOneAnother) {
  world.gate.options = recoverable();
  client();
  publish({"a", "b"});
  EXPECT_EQ(client().heard(), (Lines{"pub news#1 a", "pub news#2 b"}));
  EXPECT_EQ(world.metrics.publications, 2U);
}

TEST_F(Live, ARepeatedOneIsNotToldAgain) {
  world.gate.options = recoverable();
  client();
  publish({"a", "b"});
  deliver(1, world.broker.top("news").epoch, "a");
  deliver(2, world.broker.top("news").epoch, "b");
  EXPECT_EQ(client().heard(), (Lines{"pub news#1 a", "pub news#2 b"}));
}

TEST_F(Live, AGapUnsubscribesAClientsOwnSubscriptionSoThatItRecovers) {
  world.gate.options = recoverable();
  client();
  publish({"a"});
  lose("b");
  publish({"c"});
  EXPECT_EQ(client().heard(), (Lines{"pub news#1 a", "unsubscribe news 2500"}));
  EXPECT_EQ(world.metrics.gaps, 1U);
  request.recover = true;
  request.since = {1, world.broker.top("news").epoch};
  client().say(request);
  EXPECT_EQ(client().last_subscribe_result().publications.size(), 2U);
  EXPECT_EQ(world.events.lines[2], "unsubscribed news 2500");
}

TEST_F(Live, AGapOfTheServersOwnSubscriptionEndsTheConnection) {
  world.gate.options = recoverable();
  request.channel = "other";
  client().session->subscribe("news", {}, std::nullopt, world.timeline.now());
  lose("a");
  publish({"b"});
  EXPECT_EQ(client().heard(), (Lines{"subscribe news", "disconnect 3010"}));
}

TEST_F(Live, AnotherEpochIsAGap) {
  world.gate.options = recoverable();
  client();
  publish({"a"});
  world.broker.forget("news");
  publish({"b"});
  EXPECT_EQ(client().heard(), (Lines{"pub news#1 a", "unsubscribe news 2500"}));
}

TEST_F(Live, WithoutAPositionNothingIsAGap) {
  client();
  deliver(1, "e", "a");
  deliver(5, "f", "b");
  EXPECT_EQ(client().heard(), (Lines{"pub news#1 a", "pub news#5 b"}));
}

TEST_F(Live, WhatIsOutsideOfTheStreamMovesNoPosition) {
  world.gate.options = recoverable();
  client();
  publish({"a"});
  deliver(0, "", "typing");
  publish({"b"});
  EXPECT_EQ(client().heard(), (Lines{"pub news#1 a", "pub news typing", "pub news#2 b"}));
}

TEST_F(Live, ALostNewestOneIsFoundByThePositionCheck) {
  world.settings.ping_interval = 0ms;
  world.gate.options = recoverable();
  client();
  publish({"a"});
  lose("b");
  client().wait(40s);
  EXPECT_EQ(client().heard(), Lines{"pub news#1 a"});
  client().wait(1s);
  EXPECT_EQ(client().heard(), Lines{"unsubscribe news 2500"});
}

TEST_F(Live, WhatIsOnlyLateIsForgivenByThePositionCheck) {
  world.settings.ping_interval = 0ms;
  world.gate.options = recoverable();
  client();
  world.broker.delay = [] { return Duration(500ms); };
  client().wait(39'900ms);
  publish({"a"});
  world.broker.delay = [] { return Duration::zero(); };
  client().wait(10s);
  EXPECT_EQ(client().heard(), Lines{"pub news#1 a"});
}

TEST_F(Live, AnEpochThatChangedInSilenceIsFoundByThePositionCheck) {
  world.settings.ping_interval = 0ms;
  world.gate.options = recoverable();
  client();
  world.broker.forget("news");
  client().wait(41s);
  EXPECT_EQ(client().heard(), Lines{"unsubscribe news 2500"});
}

// ── Filters ─────────────────────────────────────────────────────────────────────────────────────────────────────────
TEST_F(Live, AFilterLetsThroughWhatMatchesAndThePositionGoesOn) {
  world.gate.options = recoverable();
  world.gate.options.allow_tags_filter = true;
  request.filter = FilterNode{"", "room", "eq", "1", {}, {}};
  client();
  world.publish("news", "a", {{"room", "1"}});
  world.publish("news", "b", {{"room", "2"}});
  world.publish("news", "c");
  world.publish("news", "d", {{"room", "1"}});
  EXPECT_EQ(client().heard(), (Lines{"pub news#1 a", "pub news#4 d"}));
  EXPECT_EQ(world.metrics.filtered, 2U);
  EXPECT_EQ(world.trace.why({client().session->client(), "", "news", 2, 10}).verdict, "filtered");
}

// ── Deltas ──────────────────────────────────────────────────────────────────────────────────────────────────────────
struct Deltas : Live {
  Deltas() {
    world.gate.options = recoverable();
    world.gate.options.delta_publish = true;
    world.gate.options.allowed_delta_types = {"fossil"};
    request.delta = "fossil";
  }
};

TEST_F(Deltas, TheFirstIsFullAndTheNextBuildOnIt) {
  publish({"before"});
  client();
  publish({"a", "b", "c"});
  EXPECT_EQ(client().heard(), (Lines{"pub news#2 =a", "pub news#3 ~b", "pub news#4 ~c"}));
  EXPECT_TRUE(client().last_subscribe_result().delta);
  EXPECT_EQ(world.metrics.deltas, 2U);
}

TEST_F(Deltas, WithoutPermissionThePayloadIsPlain) {
  world.gate.options.allowed_delta_types.clear();
  client();
  publish({"a", "b"});
  EXPECT_EQ(client().heard(), (Lines{"pub news#1 a", "pub news#2 b"}));
  EXPECT_FALSE(client().last_subscribe_result().delta);
}

TEST_F(Deltas, WhatWasRecoveredIsABase) {
  publish({"a", "b"});
  request.recover = true;
  request.since = {1, world.broker.top("news").epoch};
  client();
  publish({"c"});
  EXPECT_EQ(client().heard(), Lines{"pub news#3 ~c"});
}

TEST_F(Deltas, WhatAFilterLeftOutBreaksTheChain) {
  world.gate.options.allow_tags_filter = true;
  request.filter = FilterNode{"", "room", "neq", "2", {}, {}};
  client();
  publish({"a", "b"});
  world.publish("news", "c", {{"room", "2"}});
  publish({"d", "e"});
  EXPECT_EQ(client().heard(), (Lines{"pub news#1 =a", "pub news#2 ~b", "pub news#4 =d", "pub news#5 ~e"}));
}

TEST_F(Deltas, WhatIsOutsideOfTheStreamBreaksTheChain) {
  client();
  publish({"a"});
  deliver(0, "", "typing");
  publish({"b", "c"});
  EXPECT_EQ(client().heard(), (Lines{"pub news#1 =a", "pub news =typing", "pub news#2 =b", "pub news#3 ~c"}));
}

// ── Slow clients ────────────────────────────────────────────────────────────────────────────────────────────────────
struct Slow : Live {
  Slow() {
    world.settings.queue_max_bytes = 1'000;
    world.settings.ping_interval = 0ms;
    world.gate.options = recoverable();
  }
  void with(SlowPolicy policy, std::size_t messages = 3) {
    world.gate.options.slow_policy = policy;
    world.gate.options.slow_queue_messages = messages;
  }
  // The client stops reading with so many bytes on their way.
  void stall(std::size_t bytes = 501) { client().queued = bytes; }
  std::string verdict(std::uint64_t offset) {
    return world.trace.why({client().session->client(), "", "news", offset, 10}).verdict;
  }
};

TEST_F(Slow, WithoutAPolicyTheQueueGrowsToItsLimitAndThenTheConnectionEnds) {
  client();
  stall(900);
  client().bytes_per_message = 50;
  publish({"a", "b", "c", "d"});
  EXPECT_EQ(client().heard(), (Lines{"pub news#1 a", "pub news#2 b", "pub news#3 c", "disconnect 3008"}));
  EXPECT_EQ(world.metrics.slow, 1U);
  EXPECT_EQ(world.events.lines.back(), "disconnected 3008");
}

TEST_F(Slow, TheTraceTellsWhatWasTakenLongBeforeFromWhatStillWaited) {
  const auto publish_traced = [&](std::uint64_t offset) {
    TraceRecord record;
    record.time_ms = world.wall_seconds() * 1'000;
    record.channel = "news";
    record.offset = offset;
    world.trace.add(std::move(record));
    publish({"x"});
  };
  world.settings.ping_interval = 25s;
  client();
  publish_traced(1);
  client().wait(20s);  // a ping finds nothing waiting
  client().pong();
  publish_traced(2);
  stall(900);
  client().bytes_per_message = 200;
  publish_traced(3);
  ASSERT_TRUE(client().over);
  EXPECT_EQ(verdict(1), "delivered");
  EXPECT_EQ(verdict(2), "slow");
  EXPECT_EQ(verdict(3), "slow");
}

TEST_F(Slow, EachSubscriptionHasThePolicyThatItWasGranted) {
  with(SlowPolicy::drop_oldest, 2);
  Granted shorter{world.gate.options, "", "", 0, false};
  shorter.options.slow_queue_messages = 1;
  world.gate.grants["sport"] = shorter;
  client().subscribe("sport");
  client().log.clear();
  stall();
  for (const char* channel : {"news", "sport"}) {
    for (const char* data : {"a", "b", "c"}) world.publish(channel, data);
  }
  client().drain();
  EXPECT_EQ(world.metrics.dropped, 3U) << "one of the channel with room for two, two of the other";
}

TEST_F(Slow, DropOldestKeepsTheNewestInOrder) {
  with(SlowPolicy::drop_oldest);
  client();
  publish({"a"});
  stall();
  publish({"b", "c", "d", "e", "f"});
  EXPECT_EQ(client().heard(), Lines{"pub news#1 a"});
  client().drain();
  publish({"g"});
  EXPECT_EQ(client().heard(), (Lines{"pub news#4 d", "pub news#5 e", "pub news#6 f", "pub news#7 g"}));
  EXPECT_EQ(world.metrics.dropped, 2U);
  EXPECT_EQ(world.metrics.gaps, 0U);
  EXPECT_EQ(verdict(2), "dropped");
}

TEST_F(Slow, UpToHalfOfTheQueueNothingIsHeldBack) {
  with(SlowPolicy::drop_oldest);
  client();
  stall(500);
  publish({"a"});
  EXPECT_EQ(client().heard(), Lines{"pub news#1 a"});
}

TEST_F(Slow, WhatWaitsIsSentOnlyAsFarAsTheClientTakesIt) {
  with(SlowPolicy::drop_oldest, 10);
  client();
  stall();
  publish({"a", "b", "c", "d"});
  client().bytes_per_message = 300;
  client().drain();
  EXPECT_EQ(client().heard(), (Lines{"pub news#1 a", "pub news#2 b"}));
  publish({"e"});
  EXPECT_TRUE(client().heard().empty());
  client().bytes_per_message = 0;
  client().drain();
  EXPECT_EQ(client().heard(), (Lines{"pub news#3 c", "pub news#4 d", "pub news#5 e"}));
}

TEST_F(Slow, ConflateKeepsTheNewestOfEachKey) {
  with(SlowPolicy::conflate, 10);
  client();
  stall();
  world.publish("news", "x1", {}, "x");
  world.publish("news", "y1", {}, "y");
  world.publish("news", "x2", {}, "x");
  world.publish("news", "x3", {}, "x");
  client().drain();
  EXPECT_EQ(client().heard(), (Lines{"pub news#2 y1", "pub news#4 x3"}));
  EXPECT_EQ(world.metrics.conflated, 2U);
  EXPECT_EQ(verdict(1), "conflated");
}

TEST_F(Slow, ConflateByATagAndBoundedByNumber) {
  with(SlowPolicy::conflate, 2);
  world.gate.options.conflate_tag = "room";
  client();
  stall();
  for (const char* room : {"1", "2", "3", "2"}) world.publish("news", room, {{"room", room}});
  client().drain();
  EXPECT_EQ(client().heard(), (Lines{"pub news#3 3", "pub news#4 2"}));
  EXPECT_EQ(world.metrics.dropped, 1U);
  EXPECT_EQ(world.metrics.conflated, 1U);
}

TEST_F(Slow, SampleSendsTheNewestSoManyTimesASecond) {
  with(SlowPolicy::sample);
  world.gate.options.slow_sample_per_second = 2;
  client();
  stall();
  publish({"a", "b", "c"});
  client().drain();
  EXPECT_EQ(client().heard(), Lines{"pub news#3 c"});
  stall();
  publish({"d", "e"});
  client().drain();
  EXPECT_TRUE(client().heard().empty());
  client().wait(499ms);
  EXPECT_TRUE(client().heard().empty());
  client().wait(1ms);
  EXPECT_EQ(client().heard(), Lines{"pub news#5 e"});
  EXPECT_EQ(world.metrics.sampled, 3U);
  EXPECT_EQ(verdict(4), "sampled");
}

TEST_F(Slow, DeltasAreCorrectAfterSomethingWasLeftOut) {
  with(SlowPolicy::drop_oldest, 2);
  world.gate.options.delta_publish = true;
  world.gate.options.allowed_delta_types = {"fossil"};
  request.delta = "fossil";
  client();
  publish({"a"});
  stall();
  publish({"b", "c", "d"});
  client().drain();
  publish({"e"});
  EXPECT_EQ(client().heard(), (Lines{"pub news#1 =a", "pub news#3 =c", "pub news#4 ~d", "pub news#5 ~e"}));
}

TEST_F(Slow, EachSubscriptionHasItsOwnPolicy) {
  with(SlowPolicy::drop_oldest, 1);
  world.gate.options_of["vital"] = recoverable();
  client().subscribe("vital");
  stall();
  publish({"a", "b"});
  world.publish("vital", "v");
  EXPECT_EQ(client().heard(), (Lines{"3:subscribe", "pub vital#1 v"}));
  client().drain();
  EXPECT_EQ(client().heard(), Lines{"pub news#2 b"});
}

TEST_F(Slow, WhatWaitedIsForgottenWithTheSubscription) {
  with(SlowPolicy::drop_oldest);
  client();
  stall();
  publish({"a"});
  client().say(UnsubscribeRequest{"news"});
  client().drain();
  EXPECT_EQ(client().heard(), Lines{"3:unsubscribe"});
}

TEST_F(Slow, JoinsAreSparedASlowClientThatHasAPolicy) {
  with(SlowPolicy::drop_oldest);
  world.gate.options.join_leave = world.gate.options.force_push_join_leave = true;
  client();
  stall();
  world.on_join("news", {"u", "c9", "", ""});
  EXPECT_TRUE(client().heard().empty());
  client().drain();
  world.on_join("news", {"u", "c9", "", ""});
  EXPECT_EQ(client().heard(), Lines{"join news c9"});
}

}  // namespace
}  // namespace fairlead::server::testing

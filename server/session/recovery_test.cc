// SPDX-License-Identifier: Apache-2.0
#include "session/subscribing_testing.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace fairlead::server::testing {
namespace {

using namespace std::chrono_literals;
using Recovery = Subscribing;

// ── Recovery ────────────────────────────────────────────────────────────────────────────────────────────────────────
TEST_F(Recovery, WhatWasMissedComesWithTheReply) {
  world.gate.options = recoverable();
  for (const char* data : {"1", "2", "3"}) world.publish("news", data);
  client().say(since(1, epoch("news")));
  const SubscribeResult& result = client().last_subscribe_result();
  EXPECT_TRUE(result.recovered);
  EXPECT_TRUE(result.was_recovering);
  EXPECT_EQ(result.position, (StreamPosition{1, epoch("news")}));
  EXPECT_EQ(missed(), "23");
  client().log.clear();
  world.publish("news", "4");
  EXPECT_EQ(client().heard(), Lines{"pub news#4 4"});
  EXPECT_EQ(world.metrics.recovered, 1U);
}

TEST_F(Recovery, WhatSeveralHaveMissedAlikeIsShared) {
  MissedCache cache([] {});
  world.environment().missed = &cache;
  world.gate.options = recoverable();
  for (const char* data : {"1", "2", "3", "4"}) world.publish("news", data);
  std::vector<std::unique_ptr<TestClient>> others;
  const auto recovered = [&](std::uint64_t offset) -> const SubscribeResult& {
    others.push_back(std::make_unique<TestClient>(world));
    others.back()->connect();
    others.back()->say(since(offset, epoch("news")));
    return others.back()->last_subscribe_result();
  };
  EXPECT_EQ(recovered(1).missed, nullptr);
  const auto& second = recovered(1);
  ASSERT_NE(second.missed, nullptr);
  EXPECT_EQ(second.missed->publications(), second.publications);
  EXPECT_EQ(recovered(1).missed, second.missed);
  EXPECT_EQ(recovered(2).missed, nullptr) << "another part of the stream";
  EXPECT_EQ(recovered(4).missed, nullptr) << "nothing at all";
  others.clear();
}

TEST_F(Recovery, NothingMissedIsRecoveredToo) {
  world.gate.options = recoverable();
  world.publish("news", "1");
  client().say(since(1, epoch("news")));
  EXPECT_TRUE(client().last_subscribe_result().recovered);
  EXPECT_EQ(missed(), "");
}

TEST_F(Recovery, FromNothingTheWholeStreamIsMissed) {
  world.gate.options = recoverable();
  for (const char* data : {"1", "2"}) world.publish("news", data);
  client().say(since(0, ""));
  EXPECT_TRUE(client().last_subscribe_result().recovered);
  EXPECT_EQ(missed(), "12");
}

TEST_F(Recovery, WhatIsNoLongerThereCannotBeRecovered) {
  world.gate.options = recoverable(2);
  for (const char* data : {"1", "2", "3", "4"}) world.publish("news", data);
  client().say(since(1, epoch("news")));
  const SubscribeResult& result = client().last_subscribe_result();
  EXPECT_FALSE(result.recovered);
  EXPECT_TRUE(result.was_recovering);
  EXPECT_EQ(result.position.offset, 4U);
  EXPECT_TRUE(result.publications.empty());
  EXPECT_EQ(world.metrics.unrecovered, 1U);
}

TEST_F(Recovery, AnotherEpochOrAnOffsetFromTheFutureOrTheSentinelCannotBeRecovered) {
  world.gate.options = recoverable();
  world.publish("news", "1");
  for (const auto& request : {since(0, "other"), since(9, epoch("news")), since(0, "_")}) {
    client().say(request, UnsubscribeRequest{"news"});
    EXPECT_FALSE(client().last_subscribe_result().recovered);
    EXPECT_EQ(client().last_subscribe_result().position.offset, 1U);
  }
}

TEST_F(Recovery, MoreThanMayBeRecoveredIsNotRecovered) {
  world.settings.recovery_max_publication_limit = 3;
  world.gate.options = recoverable();
  for (const char* data : {"1", "2", "3", "4", "5"}) world.publish("news", data);
  client().say(since(1, epoch("news")), UnsubscribeRequest{"news"});
  EXPECT_FALSE(client().last_subscribe_result().recovered);
  client().say(since(2, epoch("news")));
  EXPECT_TRUE(client().last_subscribe_result().recovered);
  EXPECT_EQ(missed(), "345");
}

TEST_F(Recovery, WhoRejectsAGapGetsError112) {
  world.gate.options = recoverable();
  world.publish("news", "1");
  SubscribeRequest request = since(0, "other");
  request.flag = flag_reject_unrecovered;
  client().say(request);
  EXPECT_EQ(client().heard(), Lines{"2:error 112"});
  EXPECT_EQ(world.hub.subscriptions(), 0U);
  request.since.epoch = epoch("news");
  client().say(request);
  EXPECT_EQ(client().heard(), Lines{"3:subscribe"});
}

TEST_F(Recovery, OnlyMissedOnesThatPassTheFilterAreSent) {
  world.gate.options = recoverable();
  world.gate.options.allow_tags_filter = true;
  world.publish("news", "1", {{"room", "1"}});
  world.publish("news", "2", {{"room", "2"}});
  world.publish("news", "3", {{"room", "1"}});
  SubscribeRequest request = since(0, epoch("news"));
  request.filter = FilterNode{"", "room", "eq", "1", {}, {}};
  client().say(request);
  EXPECT_TRUE(client().last_subscribe_result().recovered);
  EXPECT_EQ(missed(), "13");
  EXPECT_EQ(why(2), "filtered");
  EXPECT_EQ(why(3), "delivered");
  EXPECT_EQ(world.metrics.filtered, 1U);
}

TEST_F(Recovery, OnlyWhatIsSentCountsAsMadeGood) {
  world.gate.options = recoverable();
  for (const char* data : {"1", "2", "3"}) world.publish("news", data);
  client().say(since(2, epoch("news")));
  EXPECT_EQ(missed(), "3");
  EXPECT_EQ(why(3), "delivered");
  EXPECT_EQ(why(2), "unknown");
}

TEST_F(Recovery, InTheCacheModeOnlyTheNewestIsMadeGood) {
  world.gate.options = recoverable();
  world.gate.options.force_recovery_mode = "cache";
  for (const char* data : {"1", "2", "3"}) world.publish("news", data);
  client().say(since(1, epoch("news")));
  EXPECT_EQ(missed(), "3");
  EXPECT_EQ(why(3), "delivered");
  EXPECT_EQ(why(2), "unknown");
}

TEST_F(Recovery, WhatComesWhileItRecoversFollowsTheReplyOnce) {
  world.gate.options = recoverable();
  for (const char* data : {"1", "2"}) world.publish("news", data);
  client();
  world.broker.delay = [] { return Duration(10ms); };
  client().say(since(1, epoch("news")));
  world.advance(5ms);
  world.publish("news", "3");  // in the history that is read, and as an event
  world.advance(7ms);
  world.publish("news", "4");  // after it was read, before it is answered
  world.advance(100ms);
  EXPECT_EQ(missed(), "23");
  EXPECT_EQ(client().heard(), (Lines{"2:subscribe", "pub news#4 4"}));
}

// ── Cache recovery ──────────────────────────────────────────────────────────────────────────────────────────────────
TEST_F(Recovery, ACacheSendsTheNewestAlone) {
  world.gate.options = recoverable(1);
  world.gate.options.force_recovery_mode = "cache";
  for (const char* data : {"1", "2", "3"}) world.publish("news", data);
  client().say(since(1, "whatever"), UnsubscribeRequest{"news"});
  EXPECT_TRUE(client().last_subscribe_result().recovered);
  EXPECT_EQ(missed(), "3");
  client().say(since(3, epoch("news")), UnsubscribeRequest{"news"});
  EXPECT_TRUE(client().last_subscribe_result().recovered);
  EXPECT_EQ(missed(), "");
  client().subscribe("news");
  EXPECT_EQ(missed(), "");  // nobody asked
  EXPECT_FALSE(client().last_subscribe_result().was_recovering);
}

TEST_F(Recovery, AnEmptyCacheRecoversNothing) {
  world.gate.options = recoverable(1);
  world.gate.options.force_recovery_mode = "cache";
  client().say(since(0, ""));
  EXPECT_FALSE(client().last_subscribe_result().recovered);
}

TEST_F(Recovery, AnAutomaticCacheSendsTheNewestUnasked) {
  world.gate.options = recoverable(1);
  world.gate.options.force_recovery_mode = "cache";
  world.gate.options.auto_cache_recover = true;
  for (const char* data : {"1", "2"}) world.publish("news", data);
  client().subscribe("news");
  EXPECT_TRUE(client().last_subscribe_result().recovered);
  EXPECT_FALSE(client().last_subscribe_result().was_recovering);
  EXPECT_EQ(client().last_subscribe_result().position.offset, 2U);
  EXPECT_EQ(missed(), "2");
}

TEST_F(Recovery, ALastValueIsSentWithoutAHistory) {
  world.gate.options.keep_latest_publication = true;
  world.gate.options.force_recovery_mode = "cache";
  world.gate.options.auto_cache_recover = true;
  world.publish("news", "old");
  world.publish("news", "new");
  client().subscribe("news");
  EXPECT_EQ(missed(), "new");
  EXPECT_FALSE(client().last_subscribe_result().positioned);
  client().log.clear();
  world.publish("news", "newer");
  EXPECT_EQ(client().heard(), Lines{"pub news newer"});
}

TEST_F(Recovery, ALastValueThatCameMeanwhileIsSentOnce) {
  world.gate.options.keep_latest_publication = true;
  world.gate.options.force_recovery_mode = "cache";
  world.gate.options.auto_cache_recover = true;
  client();
  world.broker.delay = [] { return Duration(10ms); };
  client().subscribe("news");
  world.advance(1ms);
  world.publish("news", "1");
  world.publish("news", "2");
  world.advance(100ms);
  EXPECT_EQ(missed(), "2");
  EXPECT_EQ(client().heard(), Lines{"2:subscribe"});
}

}  // namespace
}  // namespace fairlead::server::testing

// SPDX-License-Identifier: Apache-2.0
#include "metrics/trace.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::server {
namespace {

TraceRecord record(TraceKind kind, const std::string& client, const std::string& channel, std::uint64_t offset = 0) {
  return {1, kind, client, client.empty() ? "" : "ann", channel, offset, 0, ""};
}

struct Why : ::testing::Test {
  TraceRing ring;
  void has(TraceKind kind, std::uint64_t offset = 0, const std::string& client = "c") {
    ring.add(record(kind, client, "news", offset));
  }
  void published(std::uint64_t offset) { ring.add(record(TraceKind::published, "", "news", offset)); }
  void recovered(std::uint64_t since, std::uint64_t until) {
    ring.add({1, TraceKind::recovered, "c", "ann", "news", until, 0, "", since});
  }
  void refused(const char* what) { ring.add({1, TraceKind::refused, "c", "ann", "news", 0, 103, what}); }
  TraceAnswer answer(std::uint64_t offset) {
    return ring.why({.client = "c", .user = "", .channel = "news", .offset = offset});
  }
  std::string verdict(std::uint64_t offset) { return answer(offset).verdict; }
};

TEST_F(Why, NothingIsKnownOfWhatNeverWas) { EXPECT_EQ(verdict(1), "unknown"); }

TEST_F(Why, ASubscriberGotIt) {
  has(TraceKind::subscribed);
  published(1);
  EXPECT_EQ(verdict(1), "delivered");
}

TEST_F(Why, WhoCameLaterOrLeftBeforeWasNotSubscribed) {
  published(1);
  has(TraceKind::subscribed, 1);
  has(TraceKind::unsubscribed, 1);
  published(2);
  EXPECT_EQ(verdict(1), "not_subscribed");
  EXPECT_EQ(verdict(2), "not_subscribed");
}

TEST_F(Why, WhoWasRefusedIsTold) {
  refused(refused_subscribe);
  published(1);
  EXPECT_EQ(verdict(1), "refused");
  EXPECT_EQ(ring.why({.client = "other", .user = "", .channel = "news", .offset = 1}).verdict, "not_subscribed");
}

TEST_F(Why, ARefusalNamesItsOperation) {
  refused(refused_subscribe);
  published(1);
  EXPECT_EQ(answer(1).sentence, "The client was not allowed to subscribe to the channel.");
  ring.add({1, TraceKind::refused, "d", "", "", 0, 0, refused_connect});
  EXPECT_EQ(ring.why({.client = "d", .user = "", .channel = "", .offset = 0}).sentence,
            "The client was not allowed to connect.");
}

TEST_F(Why, WhoMayNotPublishStillHears) {
  has(TraceKind::subscribed);
  refused(refused_publish);
  published(1);
  refused(refused_publish);
  EXPECT_EQ(verdict(1), "delivered");
}

TEST_F(Why, WhoIsLetInAfterARefusalHears) {
  refused(refused_subscribe);
  has(TraceKind::subscribed);
  published(1);
  EXPECT_EQ(verdict(1), "delivered");
}

TEST_F(Why, WhatWasLeftOutHasItsReason) {
  has(TraceKind::subscribed);
  for (std::uint64_t offset = 1; offset <= 5; ++offset) published(offset);
  has(TraceKind::filtered, 1);
  has(TraceKind::conflated, 2);
  has(TraceKind::sampled, 3);
  has(TraceKind::dropped, 4);
  EXPECT_EQ(verdict(1), "filtered");
  EXPECT_EQ(verdict(2), "conflated");
  EXPECT_EQ(verdict(3), "sampled");
  EXPECT_EQ(verdict(4), "dropped");
  EXPECT_EQ(verdict(5), "delivered");
}

TEST_F(Why, WhatOthersMissedIsNotMyConcern) {
  has(TraceKind::subscribed);
  published(1);
  has(TraceKind::filtered, 1, "other");
  EXPECT_EQ(verdict(1), "delivered");
}

TEST_F(Why, AGapIsMadeGoodByARecovery) {
  has(TraceKind::subscribed);
  published(1);
  published(2);
  has(TraceKind::gap, 2);
  has(TraceKind::unsubscribed, 0);
  EXPECT_EQ(verdict(1), "gap");
  has(TraceKind::recovered, 2);
  has(TraceKind::subscribed, 2);
  EXPECT_EQ(verdict(1), "delivered");
}

TEST_F(Why, ARecoveryMakesGoodOnlyWhatItSent) {
  has(TraceKind::subscribed);
  for (std::uint64_t offset = 1; offset <= 3; ++offset) published(offset);
  has(TraceKind::gap, 3);
  has(TraceKind::unsubscribed);
  recovered(2, 3);
  has(TraceKind::subscribed, 3);
  EXPECT_EQ(verdict(2), "gap");
  EXPECT_EQ(verdict(3), "delivered");
}

TEST_F(Why, WhatAFilterTookOutOfARecoveryHasItsReason) {
  has(TraceKind::subscribed);
  has(TraceKind::unsubscribed);
  published(1);
  published(2);
  recovered(0, 2);
  has(TraceKind::filtered, 1);
  has(TraceKind::subscribed, 2);
  EXPECT_EQ(verdict(1), "filtered");
  EXPECT_EQ(verdict(2), "delivered");
}

TEST_F(Why, WhatWasDroppedMayBeRecoveredLater) {
  has(TraceKind::subscribed);
  published(1);
  has(TraceKind::dropped, 1);
  has(TraceKind::unsubscribed);
  recovered(0, 1);
  EXPECT_EQ(verdict(1), "delivered");
}

TEST_F(Why, WhatWasNotRecoveredIsLost) {
  has(TraceKind::subscribed);
  has(TraceKind::disconnected);
  published(1);
  has(TraceKind::unrecovered, 1);
  has(TraceKind::subscribed, 1);
  EXPECT_EQ(verdict(1), "unrecovered");
}

TEST_F(Why, ASlowClientWasDisconnected) {
  has(TraceKind::subscribed);
  published(1);
  ring.add(record(TraceKind::slow, "c", ""));
  EXPECT_EQ(verdict(1), "slow");
}

TEST_F(Why, WhatASlowClientHadTakenLongBeforeWasDelivered) {
  constexpr std::int64_t minute = 60'000;
  const auto at = [&](std::int64_t time_ms, TraceKind kind, std::uint64_t offset) {
    TraceRecord one = record(kind, kind == TraceKind::published ? "" : "c", "news", offset);
    one.time_ms = time_ms;
    ring.add(one);
  };
  has(TraceKind::subscribed);
  at(minute, TraceKind::published, 1);
  at(3 * minute, TraceKind::published, 2);
  TraceRecord slow = record(TraceKind::slow, "c", "");
  slow.time_ms = 4 * minute;
  slow.taken_until_ms = 2 * minute;
  ring.add(slow);
  at(4 * minute, TraceKind::unsubscribed, 2);
  EXPECT_EQ(verdict(1), "delivered");
  EXPECT_EQ(verdict(2), "slow");
  at(5 * minute, TraceKind::unrecovered, 5);
  EXPECT_EQ(verdict(1), "delivered");
  EXPECT_EQ(verdict(2), "unrecovered");
}

TEST_F(Why, WhatCameBeforeAGapWasDelivered) {
  has(TraceKind::subscribed);
  for (std::uint64_t offset = 1; offset <= 4; ++offset) published(offset);
  has(TraceKind::gap, 4);
  has(TraceKind::unsubscribed, 2);
  EXPECT_EQ(verdict(2), "delivered");
  EXPECT_EQ(verdict(3), "gap");
  EXPECT_EQ(verdict(4), "gap");
  recovered(3, 4);
  has(TraceKind::subscribed, 4);
  has(TraceKind::unsubscribed, 9);
  EXPECT_EQ(verdict(3), "gap") << "how far a later subscription came says nothing of it";
}

// ── A user with several clients ─────────────────────────────────────────────────────────────────────────────────────
struct WhyOfAUser : Why {
  TraceAnswer of_user(std::uint64_t offset, std::vector<std::string> subscribed_now = {}) {
    return ring.why({.client = "",
                     .user = "ann",
                     .channel = "news",
                     .offset = offset,
                     .subscribed_now = std::move(subscribed_now)});
  }
  std::string who_and_what(std::uint64_t offset) {
    const TraceAnswer answer = of_user(offset);
    return answer.client + " " + answer.verdict;
  }
};

TEST_F(WhyOfAUser, OneThatHasItIsEnough) {
  has(TraceKind::subscribed, 0, "phone");
  has(TraceKind::subscribed, 0, "desk");
  has(TraceKind::disconnected, 0, "desk");
  published(1);
  EXPECT_EQ(who_and_what(1), "phone delivered");
  has(TraceKind::filtered, 1, "phone");
  EXPECT_EQ(who_and_what(1), "phone filtered");
  EXPECT_EQ(of_user(1).records.size(), 5U);
}

TEST_F(WhyOfAUser, WhatOneMissedAnotherMayHave) {
  has(TraceKind::subscribed, 0, "phone");
  has(TraceKind::subscribed, 0, "desk");
  published(1);
  published(2);
  has(TraceKind::dropped, 1, "desk");
  has(TraceKind::dropped, 2, "desk");
  has(TraceKind::dropped, 2, "phone");
  EXPECT_EQ(who_and_what(1), "phone delivered");
  EXPECT_EQ(who_and_what(2), "phone dropped") << "which came last";
}

TEST_F(WhyOfAUser, WhoIsThereNowCountsAlsoWithoutARecord) {
  published(1);
  const TraceAnswer answer = of_user(1, {"desk"});
  EXPECT_EQ(answer.client + " " + answer.verdict, "desk delivered");
  EXPECT_EQ(who_and_what(1), " not_subscribed");
}

TEST_F(WhyOfAUser, AClientThatIsAskedForIsNamed) {
  has(TraceKind::subscribed);
  published(1);
  EXPECT_EQ(answer(1).client, "c");
}

// ── When the rings are full ─────────────────────────────────────────────────────────────────────────────────────────
struct WhyOfLittle : ::testing::Test {
  TraceRing ring{3};
  void standing(TraceKind kind, const std::string& client, std::uint64_t offset = 0) {
    ring.add(record(kind, client, "news", offset));
  }
  void published(std::uint64_t offset) { ring.add(record(TraceKind::published, "", "news", offset)); }
  std::string verdict(std::uint64_t offset, bool subscribed_now = false) {
    TraceQuery query{.client = "c", .user = "", .channel = "news", .offset = offset};
    if (subscribed_now) query.subscribed_now = {"c"};
    return ring.why(query).verdict;
  }
};

TEST_F(WhyOfLittle, PublicationsDoNotPushOutWhoIsThere) {
  standing(TraceKind::subscribed, "c");
  for (std::uint64_t offset = 1; offset <= 100; ++offset) published(offset);
  EXPECT_EQ(verdict(100), "delivered");
  EXPECT_EQ(verdict(1), "unknown");  // nobody knows any more that there was one
}

TEST_F(WhyOfLittle, NobodyIsSaidToBeAwayWhoseComingMayBeForgotten) {
  standing(TraceKind::subscribed, "c");
  published(1);
  EXPECT_EQ(verdict(1), "delivered");
  for (const char* other : {"x", "y", "z"}) standing(TraceKind::subscribed, other);
  published(2);
  EXPECT_EQ(verdict(1), "unknown");
  EXPECT_EQ(verdict(2), "unknown");
  EXPECT_EQ(verdict(2, true), "delivered");  // it is there now, and its coming is not remembered
}

TEST_F(WhyOfLittle, HowItWentOnTellsHowItWas) {
  standing(TraceKind::subscribed, "c");
  for (const char* other : {"x", "y", "z"}) standing(TraceKind::subscribed, other);
  published(1);
  standing(TraceKind::unsubscribed, "c", 1);
  published(2);
  EXPECT_EQ(verdict(1), "delivered");
  EXPECT_EQ(verdict(2), "not_subscribed");
  standing(TraceKind::subscribed, "c", 2);
  EXPECT_EQ(verdict(2), "not_subscribed");
}

TEST_F(WhyOfLittle, WhoCameAfterwardsWasNotThereBefore) {
  for (const char* other : {"w", "x", "y", "z"}) standing(TraceKind::subscribed, other);
  published(1);
  standing(TraceKind::subscribed, "c", 1);
  EXPECT_EQ(verdict(1), "not_subscribed");
}

TEST_F(WhyOfLittle, WhoIsThereNowMayHaveComeLater) {
  published(1);
  standing(TraceKind::subscribed, "c", 1);
  for (const char* other : {"x", "y", "z"}) standing(TraceKind::subscribed, other);
  EXPECT_EQ(verdict(1, true), "unknown");
  EXPECT_EQ(verdict(0, true), "unknown");
}

TEST_F(WhyOfLittle, WhoLeftMayHaveComeLater) {
  published(1);
  standing(TraceKind::subscribed, "c", 1);
  for (const char* other : {"x", "y"}) standing(TraceKind::subscribed, other);
  standing(TraceKind::unsubscribed, "c", 1);
  EXPECT_EQ(verdict(1), "unknown");
}

TEST_F(WhyOfLittle, NothingIsSaidToBeLostThatMayHaveBeenDelivered) {
  standing(TraceKind::subscribed, "c");
  published(1);
  standing(TraceKind::unsubscribed, "c");
  for (const char* other : {"x", "y"}) standing(TraceKind::subscribed, other);
  standing(TraceKind::unrecovered, "c", 5);
  EXPECT_EQ(verdict(1), "unknown");
}

TEST_F(WhyOfLittle, WithoutAPublicationToBeThereNowMeansNothing) {
  standing(TraceKind::subscribed, "c");
  for (const char* other : {"x", "y", "z"}) standing(TraceKind::subscribed, other);
  EXPECT_EQ(verdict(0, true), "unknown");
  EXPECT_EQ(verdict(7, true), "unknown");
}

TEST_F(WhyOfLittle, ARecoveryWhoseFilteredOnesAreForgottenSaysNothing) {
  ring.add({1, TraceKind::recovered, "c", "ann", "news", 4, 0, "", 0});
  for (std::uint64_t offset = 1; offset <= 4; ++offset) ring.add(record(TraceKind::filtered, "c", "news", offset));
  EXPECT_EQ(verdict(1), "unknown");
  EXPECT_EQ(verdict(4), "filtered");
}

TEST(TraceRing, TheOldestGoWhenItIsFullAndTheNewestComeFirst) {
  TraceRing ring(3);
  for (std::uint64_t offset = 1; offset <= 5; ++offset) ring.add(record(TraceKind::dropped, "c", "news", offset));
  const auto found = ring.find({"", "", "news", 0, 100});
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].offset, 5U);
  EXPECT_EQ(found[2].offset, 3U);
  EXPECT_EQ(ring.find({"", "", "news", 0, 2}).size(), 2U);
  EXPECT_EQ(ring.find({"", "", "", 4, 100}).size(), 1U);
  EXPECT_TRUE(ring.find({"", "bob", "", 0, 100}).empty());
  EXPECT_TRUE(ring.find({"", "", "sport", 0, 100}).empty());
  EXPECT_EQ(ring.capacity(), 3U);
}

TEST(TraceRing, EachKindHasAName) {
  EXPECT_EQ(name(TraceKind::published), "published");
  EXPECT_EQ(name(TraceKind::slow), "slow");
  EXPECT_EQ(name(TraceKind::disconnected), "disconnected");
}

}  // namespace
}  // namespace fairlead::server

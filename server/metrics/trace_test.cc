// SPDX-License-Identifier: Apache-2.0
#include "metrics/trace.h"

#include <gtest/gtest.h>

#include <string>

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
  std::string verdict(std::uint64_t offset) { return ring.why({"c", "", "news", offset, 100}).verdict; }
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
  has(TraceKind::refused);
  published(1);
  EXPECT_EQ(verdict(1), "refused");
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

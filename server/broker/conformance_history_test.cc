// SPDX-License-Identifier: Apache-2.0
// What a channel's history promises: pages, trimming, expiry, epochs, the latest.
#include "broker/conformance.h"

namespace fairlead::server {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

TEST_P(EngineConformance, AChannelThatNeverWasGetsAnEpoch) {
  const StreamPosition first = top("new");
  EXPECT_EQ(first.offset, 0u);
  EXPECT_EQ(first.epoch.size(), 8u);
  EXPECT_EQ(top("new"), first);
  EXPECT_EQ(published("new", "1"), (StreamPosition{1, first.epoch}));
}

TEST_P(EngineConformance, HistoryIsReadInPagesBothWays) {
  for (int i = 1; i <= 5; ++i) published("news", std::to_string(i));
  const auto since = [](std::uint64_t offset) { return StreamPosition{offset, "not checked"}; };
  EXPECT_EQ(texts("news", {.limit = 0}), Texts{});
  EXPECT_EQ(texts("news", {.limit = 2}), (Texts{"1", "2"}));
  EXPECT_EQ(texts("news", {.limit = everything}), (Texts{"1", "2", "3", "4", "5"}));
  EXPECT_EQ(texts("news", {.since = since(2), .limit = 2}), (Texts{"3", "4"}));
  EXPECT_EQ(texts("news", {.since = since(0), .limit = 1}), (Texts{"1"}));
  EXPECT_EQ(texts("news", {.since = since(5), .limit = 9}), Texts{});
  EXPECT_EQ(texts("news", {.since = since(~std::uint64_t{0}), .limit = 9}), Texts{});
  EXPECT_EQ(texts("news", {.limit = 2, .reverse = true}), (Texts{"5", "4"}));
  EXPECT_EQ(texts("news", {.since = since(4), .limit = 2, .reverse = true}), (Texts{"3", "2"}));
  EXPECT_EQ(texts("news", {.since = since(1), .limit = 2, .reverse = true}), Texts{});
  EXPECT_EQ(texts("news", {.since = since(99), .limit = 1, .reverse = true}), (Texts{"5"}));
  EXPECT_EQ(texts("news", {.since = since(~std::uint64_t{0}), .limit = 1, .reverse = true}), (Texts{"5"}));
  EXPECT_EQ(top("news").offset, 5u);
}

TEST_P(EngineConformance, HistoryIsTrimmedToItsSize) {
  for (int i = 1; i <= 5; ++i) published("news", std::to_string(i), kept(3));
  EXPECT_EQ(texts("news"), (Texts{"3", "4", "5"}));
  published("news", "6", kept(1));
  EXPECT_EQ(texts("news"), Texts{"6"});
  published("news", "7", kept(3));
  EXPECT_EQ(texts("news"), (Texts{"6", "7"}));
  EXPECT_EQ(top("news").offset, 7u);
}

TEST_P(EngineConformance, PublicationsExpireAndThePositionOutlivesThem) {
  const StreamPosition first = published("news", "1", kept(10, 10s));
  advance(5s);
  published("news", "2", kept(10, 10s));
  advance(4999ms);
  EXPECT_EQ(texts("news"), (Texts{"1", "2"}));
  advance(1ms);
  EXPECT_EQ(texts("news"), Texts{"2"});
  advance(5s);
  EXPECT_EQ(texts("news"), Texts{});
  EXPECT_EQ(top("news"), (StreamPosition{2, first.epoch}));
  EXPECT_EQ(published("news", "3"), (StreamPosition{3, first.epoch}));
  EXPECT_EQ(texts("news"), Texts{"3"});
}

TEST_P(EngineConformance, AShorterTimeHoldsForOlderPublicationsAsWell) {
  published("news", "1", kept(10, 60s));
  published("news", "2", kept(10, 10s));
  published("news", "3", kept(10, 60s));
  EXPECT_EQ(texts("news"), (Texts{"1", "2", "3"}));
  advance(10s);
  EXPECT_EQ(texts("news"), Texts{"3"});
}

TEST_P(EngineConformance, TheEpochChangesWhenTheMetaIsLost) {
  PublishOptions options = kept(10, 1s);
  options.history_meta_ttl = 10s;
  const StreamPosition first = published("news", "1", options);
  advance(9s);
  EXPECT_EQ(published("news", "2", options), (StreamPosition{2, first.epoch}));
  advance(10s);
  const StreamPosition again = top("news");
  EXPECT_EQ(again.offset, 0u);
  EXPECT_NE(again.epoch, first.epoch);
  EXPECT_EQ(published("news", "3", options), (StreamPosition{1, again.epoch}));
  advance(10s);
  const StreamPosition third = published("news", "4", options);
  EXPECT_EQ(third.offset, 1u);
  EXPECT_NE(third.epoch, again.epoch);
  EXPECT_EQ(texts("news"), Texts{"4"});
}

TEST_P(EngineConformance, APositionNeverEndsBeforeItsPublications) {
  PublishOptions options = kept(10, 60s);
  options.history_meta_ttl = 1s;
  const StreamPosition first = published("news", "1", options);
  advance(59s);
  EXPECT_EQ(top("news"), first);
  EXPECT_EQ(texts("news"), Texts{"1"});
}

TEST_P(EngineConformance, APositionGivenToAReaderLastsForTheMetaTime) {
  const HistoryQuery query{.history_ttl = 1s, .history_meta_ttl = 10s};
  const StreamPosition first = history("quiet", query)->top;
  advance(9s);
  EXPECT_EQ(history("quiet", query)->top, first);
  advance(1s);
  EXPECT_NE(history("quiet", query)->top.epoch, first.epoch);
}

TEST_P(EngineConformance, AVeryLongTimeToLiveIsForEver) {
  PublishOptions options = kept(10, std::chrono::milliseconds::max());
  options.history_meta_ttl = std::chrono::milliseconds::max();
  options.idempotency_ttl = std::chrono::milliseconds::max();
  options.idempotency_key = "k";
  published("news", "1", options);
  advance(std::chrono::hours(24 * 365 * 10));
  EXPECT_EQ(texts("news"), Texts{"1"});
  EXPECT_TRUE(publish("news", text("2"), options)->repeated);
}

TEST_P(EngineConformance, RemovingHistoryKeepsThePosition) {
  PublishOptions options = kept();
  options.keep_latest = true;
  published("news", "1", options);
  const StreamPosition position = published("news", "2", options);
  EXPECT_TRUE(answer_to<void>([&](auto done) { broker().remove_history("news", std::move(done)); }));
  EXPECT_TRUE(answer_to<void>([&](auto done) { broker().remove_history("never was", std::move(done)); }));
  EXPECT_EQ(texts("news"), Texts{});
  EXPECT_EQ(latest("news"), "");
  EXPECT_EQ(top("news"), position);
  EXPECT_EQ(published("news", "3"), (StreamPosition{3, position.epoch}));
  EXPECT_EQ(texts("news"), Texts{"3"});
}

TEST_P(EngineConformance, TheLatestIsTheHistorysNewest) {
  EXPECT_EQ(latest("news"), "");
  published("news", "1", kept(10, 10s));
  published("news", "2", kept(10, 10s));
  EXPECT_EQ(latest("news"), "2");
  advance(10s);
  EXPECT_EQ(latest("news"), "");
}

TEST_P(EngineConformance, TheLatestIsKeptWithoutHistory) {
  const PublishOptions options{.history_meta_ttl = 10s, .keep_latest = true};
  EXPECT_EQ(published("news", "1", options), StreamPosition{});
  EXPECT_EQ(latest("news"), "1");
  published("news", "2", options);
  EXPECT_EQ(latest("news"), "2");
  EXPECT_EQ(texts("news"), Texts{});
  advance(9s);
  EXPECT_EQ(latest("news"), "2");
  advance(1s);
  EXPECT_EQ(latest("news"), "");
}

TEST_P(EngineConformance, TheLatestOutlivesTheHistory) {
  PublishOptions options = kept(10, 1s);
  options.keep_latest = true;
  published("news", "1", options);
  advance(1s);
  EXPECT_EQ(texts("news"), Texts{});
  EXPECT_EQ(latest("news"), "1");
}

TEST_P(EngineConformance, TheLatestIsTheNewestWhateverWasKeptBefore) {
  const PublishOptions latest_alone{.keep_latest = true};
  published("news", "1", latest_alone);
  published("news", "2", kept());
  EXPECT_EQ(latest("news"), "2");
  published("news", "3", latest_alone);
  EXPECT_EQ(latest("news"), "3");
}

TEST_P(EngineConformance, ManyChannelsExpireByTheWay) {
  PublishOptions options = kept(2, 1s);
  options.history_meta_ttl = 1s;
  const std::string epoch = published("0", "first", options).epoch;
  for (int i = 1; i < 300; ++i) published(std::to_string(i), "x", options);
  advance(1s);
  for (int i = 0; i < 300; ++i) EXPECT_EQ(published(std::to_string(i), "y", options).offset, 1u);
  EXPECT_EQ(texts("0"), Texts{"y"});
  EXPECT_NE(top("0").epoch, epoch);
}

}  // namespace fairlead::server

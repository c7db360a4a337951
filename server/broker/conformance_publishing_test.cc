// SPDX-License-Identifier: Apache-2.0
// What publishing promises: order, positions, events, idempotency, versions.
#include "broker/conformance.h"

#include <algorithm>
#include <cctype>
#include <map>

namespace fairlead::server {

using namespace std::chrono_literals;

TEST_P(EngineConformance, OffsetsCountFromOneInAnEpochOfEightLetters) {
  const StreamPosition first = published("news", "1");
  const StreamPosition second = published("news", "2");
  EXPECT_EQ(first.offset, 1u);
  EXPECT_EQ(second.offset, 2u);
  EXPECT_EQ(first.epoch, second.epoch);
  EXPECT_EQ(first.epoch.size(), 8u);
  EXPECT_TRUE(std::ranges::all_of(first.epoch, [](unsigned char c) { return std::isalpha(c) != 0; }));
  EXPECT_NE(published("other", "1").epoch, first.epoch);
}

TEST_P(EngineConformance, WithoutHistoryNothingIsKept) {
  for (const PublishOptions& options : {PublishOptions{}, kept(0), kept(10, 0ms)}) {
    EXPECT_EQ(published("passing", "x", options), StreamPosition{});
  }
  EXPECT_TRUE(texts("passing").empty());
  EXPECT_EQ(latest("passing"), "");
}

TEST_P(EngineConformance, EventsCarryThePublicationAndItsPosition) {
  subscribe("news");
  Publication publication = text(R"({"a":1})");
  publication.info = std::make_shared<const ClientInfo>(ClientInfo{"42", "c1", "ci", "ch"});
  publication.tags = {{"colour", "red"}, {"empty", ""}};
  publication.key = "k";
  publication.json = false;
  ASSERT_TRUE(publish("news", publication, kept()));
  const auto told = events_.wait_for(1);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].channel, "news");
  EXPECT_EQ(told[0].position, top("news"));
  EXPECT_EQ(told[0].previous, nullptr);

  const auto stored = history("news", {.limit = 1});
  ASSERT_TRUE(stored && stored->publications.size() == 1);
  for (const PublicationPtr& one : {told[0].publication, stored->publications[0]}) {
    EXPECT_EQ(one->data, publication.data);
    EXPECT_EQ(one->json, false);
    ASSERT_NE(one->info, nullptr);
    EXPECT_EQ(*one->info, *publication.info);
    EXPECT_EQ(one->tags, publication.tags);
    EXPECT_EQ(one->key, "k");
    EXPECT_EQ(one->offset, 1u);
    EXPECT_EQ(one->time_ms, now_ms_);
  }
}

TEST_P(EngineConformance, BinaryPayloadsAndEmptyOnesAreKeptAsTheyAre) {
  const std::string binary("\0\xff\n\x80'\"", 6);
  published("bytes", binary);
  published("bytes", "");
  EXPECT_EQ(texts("bytes"), (std::vector<std::string>{binary, ""}));
}

TEST_P(EngineConformance, OnlySubscribedChannelsAreTold) {
  subscribe("heard");
  published("unheard", "1");
  published("heard", "2");
  EXPECT_TRUE(answer_to<void>([&](auto done) { broker().unsubscribe("heard", std::move(done)); }));
  published("heard", "3");
  subscribe("last");
  published("last", "4", {});
  const auto told = events_.wait_for(2);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].publication->data, "2");
  EXPECT_EQ(told[1].publication->data, "4");
}

TEST_P(EngineConformance, SubscribingTwiceTellsOnceAndUnsubscribingTwiceIsFine) {
  subscribe("news");
  subscribe("news");
  published("news", "1");
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(answer_to<void>([&](auto done) { broker().unsubscribe("news", std::move(done)); }));
  }
  published("news", "2");
  EXPECT_EQ(events_.wait_for(1).size(), 1u);
}

TEST_P(EngineConformance, JoinsAndLeavesAreTold) {
  subscribe("room");
  const ClientInfo info{"u", "c", "a", "b"};
  for (const char* channel : {"elsewhere", "room"}) {
    EXPECT_TRUE(answer_to<void>([&](auto done) { broker().publish_join(channel, info, std::move(done)); }));
    EXPECT_TRUE(answer_to<void>([&](auto done) { broker().publish_leave(channel, info, std::move(done)); }));
  }
  const auto members = events_.wait_for_members(2);
  EXPECT_EQ(members, (std::vector<RecordedEvents::Membership>{{"room", info, true}, {"room", info, false}}));
}

// Several threads publish into two channels. Each channel's events must come in the order of its offsets, and history,
// answers and events must agree.
TEST_P(EngineConformance, WhatOneThreadPublishesOfOneKindIsToldInItsOrderOverAllChannels) {
  constexpr std::size_t count = 200;
  for (const char* channel : {"a", "b", "c"}) subscribe(channel);
  std::size_t told_before = 0;
  for (const PublishOptions& options : {kept(), PublishOptions{}}) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::string channel(1, static_cast<char>('a' + i % 3));
      broker().publish(channel, text(std::to_string(i)), options, [](const Outcome<PublishOutcome>&) {});
    }
    const auto told = events_.wait_for(told_before + count);
    ASSERT_EQ(told.size(), told_before + count);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(told[told_before + i].publication->data, std::to_string(i));
    }
    told_before = told.size();
  }
}

TEST_P(EngineConformance, ConcurrentPublishingKeepsOneOrderPerChannel) {
  constexpr int threads = 4;
  constexpr int each = 200;
  const std::vector<std::string> channels = {"a", "b"};
  for (const std::string& channel : channels) subscribe(channel);
  std::mutex lock;
  std::map<std::string, std::map<std::uint64_t, std::string>> answered;
  std::atomic<int> open{threads * each};
  std::vector<std::thread> publishers;
  for (int thread = 0; thread < threads; ++thread) {
    publishers.emplace_back([&, thread] {
      for (int i = 0; i < each; ++i) {
        const std::string& channel = channels[static_cast<std::size_t>(i) % 2];
        const std::string data = std::to_string(thread) + "/" + std::to_string(i);
        broker().publish(channel, text(data), kept(10'000), [&, data](const Outcome<PublishOutcome>& outcome) {
          const std::lock_guard guard(lock);
          if (outcome) answered[channel][outcome->position.offset] = data;
          if (--open == 0) open.notify_all();
        });
      }
    });
  }
  for (std::thread& publisher : publishers) publisher.join();
  for (int left = open; left > 0; left = open) open.wait(left);

  std::map<std::string, std::uint64_t> next;
  for (const auto& told : events_.wait_for(threads * each)) {
    EXPECT_EQ(told.position.offset, ++next[told.channel]);
    EXPECT_EQ(told.publication->offset, told.position.offset);
    EXPECT_EQ(told.publication->data, answered[told.channel][told.position.offset]);
  }
  for (const std::string& channel : channels) {
    const auto stored = history(channel, {.limit = everything});
    ASSERT_TRUE(stored && stored->publications.size() == threads * each / 2);
    EXPECT_EQ(next[channel], stored->top.offset);
    std::map<int, int> newest_of_thread;
    for (const PublicationPtr& publication : stored->publications) {
      EXPECT_EQ(publication->data, answered[channel][publication->offset]);
      const int thread = std::stoi(publication->data);
      const int number = std::stoi(publication->data.substr(publication->data.find('/') + 1));
      EXPECT_LE(newest_of_thread[thread], number);  // what one thread published comes in its order
      newest_of_thread[thread] = number;
    }
  }
}

TEST_P(EngineConformance, AnIdempotencyKeyPublishesOnce) {
  subscribe("news");
  PublishOptions options = kept();
  options.idempotency_key = "once";
  options.idempotency_ttl = 10s;
  const auto first = publish("news", text("1"), options);
  const auto second = publish("news", text("2"), options);
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(first->repeated);
  EXPECT_TRUE(second->repeated);
  EXPECT_EQ(first->position, second->position);
  EXPECT_EQ(texts("news"), std::vector<std::string>{"1"});
  EXPECT_EQ(published("elsewhere", "3", options).offset, 1u);  // keys are the channel's own

  advance(10s);
  const auto third = publish("news", text("4"), options);
  ASSERT_TRUE(third);
  EXPECT_FALSE(third->repeated);
  EXPECT_EQ(third->position.offset, 2u);
  EXPECT_EQ(events_.wait_for(2).size(), 2u);
}

TEST_P(EngineConformance, AnIdempotencyKeyHoldsWithoutHistoryAndAfterItIsRemoved) {
  PublishOptions options;
  options.idempotency_key = "once";
  subscribe("passing");
  const auto first = publish("passing", text("1"), options);
  EXPECT_TRUE(answer_to<void>([&](auto done) { broker().remove_history("passing", std::move(done)); }));
  const auto second = publish("passing", text("2"), options);
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(second->repeated);
  EXPECT_EQ(second->position, StreamPosition{});
  EXPECT_EQ(events_.wait_for(1).size(), 1u);
}

TEST_P(EngineConformance, AVersionThatIsNotNewerIsDropped) {
  PublishOptions options = kept();
  const auto send = [&](std::uint64_t version, const std::string& epoch) {
    options.version = version;
    options.version_epoch = epoch;
    const auto outcome = publish("state", text(epoch + std::to_string(version)), options);
    EXPECT_TRUE(outcome.has_value());
    return outcome && !outcome->stale;
  };
  EXPECT_TRUE(send(5, "a"));
  EXPECT_FALSE(send(5, "a"));
  EXPECT_FALSE(send(4, "a"));
  EXPECT_TRUE(send(1, "b"));
  EXPECT_FALSE(send(3, "a"));  // the newest of *this* epoch counts
  EXPECT_TRUE(send(6, "a"));
  EXPECT_TRUE(send(~std::uint64_t{0}, "a"));
  EXPECT_FALSE(send(7, "a"));
  EXPECT_EQ(texts("state"), (std::vector<std::string>{"a5", "b1", "a6", "a18446744073709551615"}));
  const auto stored = history("state", {.limit = everything});
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->publications[0]->version, 5u);
  EXPECT_EQ(stored->publications[3]->version, ~std::uint64_t{0});
}

TEST_P(EngineConformance, AStaleVersionAnswersWithThePositionAndTellsNobody) {
  subscribe("state");
  PublishOptions options = kept();
  options.version = 2;
  const StreamPosition position = published("state", "2", options);
  options.version = 1;
  const auto stale = publish("state", text("1"), options);
  ASSERT_TRUE(stale);
  EXPECT_TRUE(stale->stale);
  EXPECT_EQ(stale->position, position);
  published("state", "unversioned");
  const auto told = events_.wait_for(2);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[1].publication->data, "unversioned");
}

TEST_P(EngineConformance, VersionsAreForgottenWithTheMeta) {
  PublishOptions options{.history_meta_ttl = 10s, .version = 5};
  EXPECT_FALSE(publish("state", text("5"), options)->stale);
  options.version = 4;
  advance(9s);
  EXPECT_TRUE(publish("state", text("4"), options)->stale);
  advance(1s);
  EXPECT_FALSE(publish("state", text("4"), options)->stale);
}

TEST_P(EngineConformance, ThePreviousPublicationIsToldWhenAskedFor) {
  subscribe("delta");
  PublishOptions options = kept(1);
  options.want_previous = true;
  published("delta", "1", options);
  published("delta", "2", options);
  published("delta", "3");
  const auto told = events_.wait_for(3);
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0].previous, nullptr);
  ASSERT_NE(told[1].previous, nullptr);
  EXPECT_EQ(told[1].previous->data, "1");
  EXPECT_EQ(told[2].previous, nullptr);
}

TEST_P(EngineConformance, ThePreviousPublicationIsKnownFromTheLatestToo) {
  subscribe("delta");
  const PublishOptions options{.keep_latest = true, .want_previous = true};
  published("delta", "1", options);
  published("delta", "2", options);
  const auto told = events_.wait_for(2);
  ASSERT_EQ(told.size(), 2u);
  ASSERT_NE(told[1].previous, nullptr);
  EXPECT_EQ(told[1].previous->data, "1");
}

}  // namespace fairlead::server

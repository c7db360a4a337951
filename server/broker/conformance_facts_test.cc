// SPDX-License-Identifier: Apache-2.0
// The event log, the store, and the end of an engine.
#include "broker/conformance.h"

namespace fairlead::server {

using namespace std::chrono_literals;

TEST_P(EngineConformance, EventsAreNumberedFromOneAndReadInOrder) {
  EXPECT_EQ(read(0).newest, 0u);
  for (std::uint32_t i = 1; i <= 5; ++i) EXPECT_EQ(append(i), i);
  const LifecycleEvents all = read(0);
  ASSERT_EQ(all.events.size(), 5u);
  for (std::uint32_t i = 1; i <= 5; ++i) {
    LifecycleEvent expected = event(i);
    expected.sequence = i;
    EXPECT_EQ(all.events[i - 1], expected);
  }
  EXPECT_EQ(all.newest, 5u);
  EXPECT_EQ(all.acknowledged, 0u);
  EXPECT_EQ(all.lost_before, 0u);
  const LifecycleEvents page = read(2, 2);
  ASSERT_EQ(page.events.size(), 2u);
  EXPECT_EQ(page.events[0].sequence, 3u);
  EXPECT_TRUE(read(5).events.empty());
  EXPECT_TRUE(read(~std::uint64_t{0}).events.empty());
  EXPECT_TRUE(read(0, 0).events.empty());
}

TEST_P(EngineConformance, AcknowledgingGoesForwardsAndNotBeyond) {
  for (std::uint32_t i = 1; i <= 3; ++i) append(i);
  EXPECT_TRUE(acknowledge(2));
  EXPECT_TRUE(acknowledge(2));
  const auto before = acknowledge(1);
  const auto beyond = acknowledge(4);
  ASSERT_FALSE(before || beyond);
  EXPECT_EQ(before.error().kind, FaultKind::invalid);
  EXPECT_EQ(beyond.error().kind, FaultKind::invalid);
  EXPECT_EQ(read(0).acknowledged, 2u);
  ASSERT_EQ(read(2).events.size(), 1u);
  EXPECT_TRUE(acknowledge(3));
  EXPECT_EQ(append(4), 4u);
  EXPECT_EQ(read(3).events.size(), 1u);
  EXPECT_EQ(read(0).lost_before, 0u);
}

TEST_P(EngineConformance, AFullLogDropsTheOldestAndSaysSo) {
  for (std::uint32_t i = 1; i <= event_log_size; ++i) append(i);
  EXPECT_EQ(read(0).lost_before, 0u);
  for (std::uint32_t i = 1; i <= 3; ++i) append(i);
  const LifecycleEvents found = read(0);
  EXPECT_EQ(found.lost_before, 4u);
  ASSERT_EQ(found.events.size(), event_log_size);
  EXPECT_EQ(found.events[0].sequence, 4u);
  EXPECT_TRUE(acknowledge(3));
  EXPECT_EQ(read(0).lost_before, 0u);
}

TEST_P(EngineConformance, EventsThatBelongTogetherGetSequencesInARow) {
  append(1);
  const auto last =
      answer_to<std::uint64_t>([&](auto done) { log().append_all({event(2), event(3), event(4)}, std::move(done)); });
  ASSERT_TRUE(last);
  EXPECT_EQ(*last, 4u);
  const LifecycleEvents all = read(0);
  ASSERT_EQ(all.events.size(), 4u);
  for (std::uint32_t i = 1; i <= 4; ++i) {
    LifecycleEvent expected = event(i);
    expected.sequence = i;
    EXPECT_EQ(all.events[i - 1], expected);
  }
}

TEST_P(EngineConformance, EventsOfSeveralThreadsHaveNoHoles) {
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([&] {
      for (std::uint32_t number = 0; number < 20; ++number) append(number);
    });
  }
  for (std::thread& writer : writers) writer.join();
  const LifecycleEvents found = read(0);
  ASSERT_EQ(found.events.size(), 80u);
  for (std::size_t i = 0; i < 80; ++i) EXPECT_EQ(found.events[i].sequence, i + 1);
}

TEST_P(EngineConformance, FactsAreReplacedRemovedAndExpire) {
  const std::string binary("\0\xff", 2);
  EXPECT_TRUE(list("revoked").empty());
  put("revoked", "a", "old", now() + 10s);
  put("revoked", "a", binary, now() + 10s);
  put("revoked", "b", "2", now() + 20s);
  put("other", "a", "3", now() + 10s);
  using Facts = std::map<std::string, std::string>;
  EXPECT_EQ(list("revoked"), (Facts{{"a", binary}, {"b", "2"}}));
  EXPECT_EQ(list("other"), (Facts{{"a", "3"}}));
  advance(10s);
  EXPECT_EQ(list("revoked"), (Facts{{"b", "2"}}));
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(answer_to<void>([&](auto done) { store().remove("revoked", "b", std::move(done)); }));
  }
  EXPECT_TRUE(list("revoked").empty());
  put("revoked", "c", "for ever", WallTime::max());
  EXPECT_EQ(list("revoked").size(), 1u);
}

TEST_P(EngineConformance, AfterStopEverythingIsUnavailable) {
  broker().stop();
  std::vector<FaultKind> kinds;
  const auto note = [&](const auto& outcome) { kinds.push_back(outcome ? FaultKind::internal : outcome.error().kind); };
  note(publish("a", text("x"), kept()));
  note(publish("a", text("x"), {}));
  note(history("a", {}));
  note(answer_to<void>([&](auto done) { broker().subscribe("a", std::move(done)); }));
  note(answer_to<void>([&](auto done) { broker().publish_join("a", {}, std::move(done)); }));
  note(answer_to<Presence>([&](auto done) { broker().presence("a", std::move(done)); }));
  note(answer_to<void>([&](auto done) { broker().add_presence("a", {}, 1s, std::move(done)); }));
  note(answer_to<PublicationPtr>([&](auto done) { broker().latest("a", std::move(done)); }));
  note(answer_to<std::uint64_t>([&](auto done) { log().append({}, std::move(done)); }));
  note(answer_to<LifecycleEvents>([&](auto done) { log().read(0, 1, std::move(done)); }));
  note(answer_to<void>([&](auto done) { store().remove("t", "k", std::move(done)); }));
  EXPECT_EQ(kinds, std::vector<FaultKind>(11, FaultKind::unavailable));
}

// Four threads call while the engine stops: each call is answered exactly once, and none after `stop` has returned.
TEST_P(EngineConformance, StopAnswersEverythingThatIsOpen) {
  subscribe("a");
  std::atomic<int> asked{0};
  std::atomic<int> answered{0};
  std::atomic<int> odd{0};
  std::atomic<bool> going{true};
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      while (going && asked < 20'000) {
        ++asked;
        broker().publish("a", text("x"), kept(), [&](const Outcome<PublishOutcome>& outcome) {
          ++answered;
          if (!outcome && outcome.error().kind != FaultKind::unavailable) ++odd;
        });
        ++asked;
        broker().history("a", {.limit = 1}, [&](const Outcome<History>& outcome) {
          ++answered;
          if (!outcome && outcome.error().kind != FaultKind::unavailable) ++odd;
        });
      }
    });
  }
  while (answered < 100) std::this_thread::yield();
  broker().stop();
  const std::size_t told = events_.wait_for(0).size();
  going = false;
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(answered, asked);
  EXPECT_EQ(odd, 0);
  EXPECT_EQ(events_.wait_for(0).size(), told);
}

}  // namespace fairlead::server

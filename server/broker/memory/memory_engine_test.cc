// SPDX-License-Identifier: Apache-2.0
// What only the memory engine promises: a bound on what it holds, and that what has ended is given back.
#include "broker/memory/memory_engine.h"

#include "broker/conformance.h"

#include <gtest/gtest.h>

namespace fairlead::server {

using namespace std::chrono_literals;

class MemoryEngineTest : public testing::Test {
 protected:
  void make(std::size_t limit_bytes) {
    engine_ = std::make_unique<MemoryEngine>(MemoryEngineSettings{.limit_bytes = limit_bytes}, [this] { return now_; });
    ASSERT_TRUE(engine_->broker().start(events_));
  }
  Outcome<PublishOutcome> publish(const std::string& channel, std::size_t bytes, const PublishOptions& options) {
    Publication publication;
    publication.data.assign(bytes, 'x');
    return answer_to<PublishOutcome>(
        [&](auto done) { engine_->broker().publish(channel, publication, options, std::move(done)); });
  }

  WallTime now_{std::chrono::hours(1)};
  RecordedEvents events_;
  std::unique_ptr<MemoryEngine> engine_;
  PublishOptions kept_{.history_size = 1000, .history_ttl = 10s, .history_meta_ttl = 10s};
};

TEST_F(MemoryEngineTest, AnswersFullAtItsLimitAndGoesOnWhenThereIsRoom) {
  make(100'000);
  std::uint64_t accepted = 0;
  Outcome<PublishOutcome> outcome;
  while ((outcome = publish("a", 1000, kept_)).has_value()) ASSERT_EQ(outcome->position.offset, ++accepted);
  EXPECT_EQ(outcome.error().kind, FaultKind::full);
  EXPECT_GT(accepted, 50u);
  EXPECT_LE(engine_->used_bytes(), 100'000u);
  EXPECT_TRUE(publish("a", 100'000, {}));  // what is not kept needs no room

  ASSERT_TRUE(answer_to<void>([&](auto done) { engine_->broker().remove_history("a", std::move(done)); }));
  const auto next = publish("a", 1000, kept_);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->position.offset, accepted + 1);
}

TEST_F(MemoryEngineTest, PassingPublicationsLeaveNothing) {
  make(1'000'000);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(publish(std::to_string(i), 10, {}));
  EXPECT_EQ(engine_->broker().channels(), 0u);
  EXPECT_EQ(engine_->used_bytes(), 0u);
}

TEST_F(MemoryEngineTest, WhatHasEndedIsGivenBackByTheWay) {
  make(100'000'000);
  kept_.idempotency_key = "k";
  kept_.idempotency_ttl = 5s;
  for (int i = 0; i < 2000; ++i) EXPECT_TRUE(publish(std::to_string(i), 10, kept_));
  EXPECT_EQ(engine_->broker().channels(), 2000u);
  now_ += 10s;
  for (int i = 0; i < 2000; ++i) EXPECT_TRUE(publish("elsewhere", 10, {}));
  EXPECT_EQ(engine_->broker().channels(), 0u);
  EXPECT_EQ(engine_->used_bytes(), 0u);
}

TEST_F(MemoryEngineTest, ATableOfFactsIsBoundedToo) {
  make(10'000);
  Outcome<void> outcome;
  int accepted = 0;
  for (; accepted < 1000; ++accepted) {
    outcome = answer_to<void>([&](auto done) {
      engine_->store().put("t", std::to_string(accepted), std::string(100, 'v'), now_ + 1s, std::move(done));
    });
    if (!outcome) break;
  }
  EXPECT_LT(accepted, 100);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, FaultKind::full);
}

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
#include "app/channel_registry.h"

#include <gtest/gtest.h>

#include <deque>

namespace fairlead::server {
namespace {

// An engine that answers subscriptions when the test says so.
class SlowBroker : public Broker {
 public:
  Outcome<void> start(BrokerEvents&) override { return {}; }
  void stop() override {}
  std::string_view name() const noexcept override { return "slow"; }
  void subscribe(const std::string& channel, Done<void> done) override { ask("+" + channel, std::move(done)); }
  void unsubscribe(const std::string& channel, Done<void> done) override { ask("-" + channel, std::move(done)); }
  void publish(const std::string&, Publication, PublishOptions, Done<PublishOutcome> done) override { done({}); }
  void publish_join(const std::string&, ClientInfo, Done<void> done) override { done({}); }
  void publish_leave(const std::string&, ClientInfo, Done<void> done) override { done({}); }
  void history(const std::string&, HistoryQuery, Done<History> done) override { done({}); }
  void remove_history(const std::string&, Done<void> done) override { done({}); }
  void latest(const std::string&, Done<PublicationPtr> done) override { done(nullptr); }
  void add_presence(const std::string&, ClientInfo, std::chrono::milliseconds, Done<void> done) override { done({}); }
  void remove_presence(const std::string&, const std::string&, Done<void> done) override { done({}); }
  void presence(const std::string&, Done<Presence> done) override { done({}); }
  void presence_stats(const std::string&, Done<PresenceStats> done) override { done({}); }

  void answer(Outcome<void> outcome = {}) {
    auto done = std::move(open.front());
    open.pop_front();
    done(std::move(outcome));
  }
  std::vector<std::string> asked;
  std::deque<Done<void>> open;

 private:
  void ask(std::string what, Done<void> done) {
    asked.push_back(std::move(what));
    open.push_back(std::move(done));
  }
};

struct Fixture : testing::Test {
  void want(unsigned loop) {
    registry.want("news", loop, [this](const Outcome<void>& outcome) { (outcome ? ready : refused) += 1; });
  }
  SlowBroker broker;
  std::vector<bool> occupied;
  ChannelRegistry registry{broker, [this](const std::string&, bool now) { occupied.push_back(now); }};
  int ready = 0;
  int refused = 0;
};
using Registry = Fixture;

TEST_F(Registry, AsksTheEngineOnceForManyLoops) {
  want(0);
  want(1);
  EXPECT_EQ(ready, 0) << "not before the engine has answered";
  broker.answer();
  EXPECT_EQ(ready, 2);
  want(2);
  EXPECT_EQ(ready, 3) << "at once: the engine sends already";
  EXPECT_EQ(broker.asked, std::vector<std::string>{"+news"});
  EXPECT_EQ(registry.listeners("news").loops, (std::vector<unsigned>{0, 1, 2}));
  EXPECT_EQ(occupied, std::vector<bool>{true});
}

TEST_F(Registry, UnsubscribesWithTheLastLoop) {
  want(0);
  want(1);
  broker.answer();
  registry.unwant("news", 0);
  EXPECT_EQ(broker.asked.size(), 1U);
  registry.unwant("news", 1);
  EXPECT_EQ(broker.asked.back(), "-news");
  broker.answer();
  EXPECT_EQ(registry.size(), 0U);
  EXPECT_TRUE(registry.channels().empty());
  EXPECT_EQ(registry.number_of("news"), 0);
  EXPECT_EQ(occupied, (std::vector<bool>{true, false}));
}

TEST_F(Registry, ComesBackWhileTheEngineIsStillUnsubscribing) {
  want(0);
  broker.answer();
  registry.unwant("news", 0);
  want(1);
  EXPECT_EQ(ready, 1) << "the old subscription ends first";
  broker.answer();  // of "-news"
  EXPECT_EQ(broker.asked.back(), "+news");
  broker.answer();
  EXPECT_EQ(ready, 2);
  EXPECT_EQ(registry.listeners("news").loops, std::vector<unsigned>{1});
}

TEST_F(Registry, LeavesAgainWhileTheEngineIsStillSubscribing) {
  want(0);
  registry.unwant("news", 0);
  EXPECT_EQ(broker.asked.size(), 1U) << "one question at a time";
  broker.answer();
  EXPECT_EQ(ready, 1) << "each question is answered";
  EXPECT_EQ(broker.asked.back(), "-news");
  broker.answer();
  EXPECT_EQ(registry.size(), 0U);
}

TEST_F(Registry, ARefusalTakesTheLoopOutAgain) {
  want(0);
  broker.answer(std::unexpected(Fault{FaultKind::unavailable, "gone"}));
  EXPECT_EQ(refused, 1);
  EXPECT_EQ(registry.size(), 0U);
  EXPECT_EQ(occupied, (std::vector<bool>{true, false}));
  want(0);
  broker.answer();
  EXPECT_EQ(ready, 1) << "the next one asks again";
}

TEST_F(Registry, ANumberLastsAsLongAsSomebodyListens) {
  want(0);
  broker.answer();
  const std::int64_t number = registry.number_of("news");
  EXPECT_GT(number, 0);
  want(1);
  registry.unwant("news", 0);
  EXPECT_EQ(registry.number_of("news"), number);
}

}  // namespace
}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
#include "hub/hub.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::server {
namespace {

class NoEncoder final : public PublicationEncoder {
 public:
  SharedMessage encode(const Delivery& delivery, const WireForm&) const override {
    return SharedMessage::text(delivery.publication().data);
  }
};

class Listener final : public Subscriber {
 public:
  void on_delivery(const DeliveryPtr& delivery) override {
    heard.push_back(delivery->publication().data);
    if (const auto act = meanwhile) act();  // which may replace it
  }
  void on_join(const ClientInfo& info) override { heard.push_back("+" + info.client); }
  void on_leave(const ClientInfo& info) override { heard.push_back("-" + info.client); }
  std::vector<std::string> heard;
  std::function<void()> meanwhile;
};

const NoEncoder encoder;

DeliveryPtr delivery(const std::string& channel, const std::string& data) {
  auto publication = std::make_shared<Publication>();
  publication->data = data;
  return std::make_shared<const Delivery>(encoder, channel, 1, std::move(publication), StreamPosition{}, nullptr);
}

using Heard = std::vector<std::string>;

TEST(Hub, DeliversToTheSubscribersOfTheChannelAlone) {
  Hub hub;
  Listener first, second, elsewhere;
  EXPECT_TRUE(hub.add("news", first));
  EXPECT_FALSE(hub.add("news", second));
  EXPECT_TRUE(hub.add("sport", elsewhere));
  hub.deliver(delivery("news", "hello"));
  EXPECT_EQ(first.heard, Heard{"hello"});
  EXPECT_EQ(second.heard, Heard{"hello"});
  EXPECT_TRUE(elsewhere.heard.empty());
  EXPECT_EQ(hub.channels(), 2U);
  EXPECT_EQ(hub.subscriptions(), 3U);
  EXPECT_EQ(hub.subscribers("news"), 2U);
}

TEST(Hub, TellsTheFirstAndTheLastSubscriberOfAChannel) {
  Hub hub;
  Listener first, second;
  EXPECT_TRUE(hub.add("news", first));
  EXPECT_FALSE(hub.add("news", second));
  EXPECT_FALSE(hub.remove("news", first));
  EXPECT_TRUE(hub.remove("news", second));
  EXPECT_FALSE(hub.remove("news", second));
  EXPECT_EQ(hub.channels(), 0U);
  EXPECT_EQ(hub.subscribers("news"), 0U);
  EXPECT_EQ(hub.subscriptions(), 0U);
}

TEST(Hub, JoinsAndLeavesReachTheChannel) {
  Hub hub;
  Listener listener;
  hub.add("news", listener);
  hub.join("news", ClientInfo{"u", "c1", "", ""});
  hub.leave("news", ClientInfo{"u", "c1", "", ""});
  hub.join("nobody", ClientInfo{"u", "c2", "", ""});
  EXPECT_EQ(listener.heard, (Heard{"+c1", "-c1"}));
}

TEST(Hub, ASubscriberMayLeaveWhileItIsTold) {
  Hub hub;
  Listener first, second, third;
  for (Listener* listener : {&first, &second, &third}) hub.add("news", *listener);
  second.meanwhile = [&] { hub.remove("news", second); };
  hub.deliver(delivery("news", "1"));
  hub.deliver(delivery("news", "2"));
  EXPECT_EQ(first.heard, (Heard{"1", "2"}));
  EXPECT_EQ(second.heard, Heard{"1"});
  EXPECT_EQ(third.heard, (Heard{"1", "2"}));
}

TEST(Hub, ASubscriberMayRemoveOneThatHasNotBeenToldYet) {
  Hub hub;
  Listener first, second;
  hub.add("news", first);
  hub.add("news", second);
  first.meanwhile = [&] { hub.remove("news", second); };
  hub.deliver(delivery("news", "1"));
  EXPECT_TRUE(second.heard.empty());
  EXPECT_EQ(hub.subscribers("news"), 1U);
}

TEST(Hub, TheLastOneMayLeaveAndComeBackWhileItIsTold) {
  Hub hub;
  Listener listener;
  hub.add("news", listener);
  listener.meanwhile = [&] {
    listener.meanwhile = nullptr;
    EXPECT_TRUE(hub.remove("news", listener));
    EXPECT_TRUE(hub.add("news", listener));
  };
  hub.deliver(delivery("news", "1"));
  hub.deliver(delivery("news", "2"));
  EXPECT_EQ(listener.heard, (Heard{"1", "2"}));
  EXPECT_TRUE(hub.remove("news", listener));
}

TEST(Hub, OneThatComesMeanwhileHearsFromTheNextOneOn) {
  Hub hub;
  Listener first, late;
  hub.add("news", first);
  first.meanwhile = [&] {
    first.meanwhile = nullptr;
    hub.add("news", late);
  };
  hub.deliver(delivery("news", "1"));
  hub.deliver(delivery("news", "2"));
  EXPECT_EQ(late.heard, Heard{"2"});
}

TEST(Hub, PlacesStayRightWhenManyLeaveInAnyOrder) {
  Hub hub;
  std::vector<std::unique_ptr<Listener>> listeners;
  for (int i = 0; i < 100; ++i) {
    listeners.push_back(std::make_unique<Listener>());
    hub.add("news", *listeners.back());
  }
  for (std::size_t i = 0; i < 100; i += 3) EXPECT_FALSE(hub.remove("news", *listeners[i]));
  listeners[1]->meanwhile = [&] {
    for (std::size_t i = 2; i < 100; i += 3) hub.remove("news", *listeners[i]);
  };
  hub.deliver(delivery("news", "1"));
  listeners[1]->meanwhile = nullptr;
  hub.deliver(delivery("news", "2"));
  for (std::size_t i = 1; i < 100; i += 3) EXPECT_EQ(listeners[i]->heard, (Heard{"1", "2"}));
  for (std::size_t i = 0; i < 100; i += 3) EXPECT_TRUE(listeners[i]->heard.empty());
  EXPECT_EQ(hub.subscribers("news"), 33U);
}

}  // namespace
}  // namespace fairlead::server

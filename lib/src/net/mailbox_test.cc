// SPDX-License-Identifier: Apache-2.0
#include "net/mailbox.h"

#include <gtest/gtest.h>

#include <vector>

namespace fairlead::net {
namespace {

// The table never looks into a channel: any address will do.
Channel& channel_at(int& place) { return reinterpret_cast<Channel&>(place); }  // NOLINT

TEST(SlotTable, ANameIsGoodUntilItsChannelCloses) {
  SlotTable slots;
  int place = 0;
  const auto name = slots.open(channel_at(place), 100);
  EXPECT_TRUE(slots.is_open(name));
  EXPECT_EQ(slots.find(name), &channel_at(place));
  slots.close(name);
  EXPECT_FALSE(slots.is_open(name));
  EXPECT_EQ(slots.find(name), nullptr);
}

TEST(SlotTable, AnOldNameDoesNotFindTheNextChannelInItsSlot) {
  SlotTable slots;
  int first = 0;
  int second = 0;
  const auto old = slots.open(channel_at(first), 100);
  slots.close(old);
  const auto fresh = slots.open(channel_at(second), 100);
  EXPECT_EQ(fresh.slot, old.slot) << "slots are used again";
  EXPECT_EQ(slots.find(old), nullptr);
  EXPECT_EQ(slots.find(fresh), &channel_at(second));
}

TEST(SlotTable, GrowsInBlocksWithoutMovingNames) {
  SlotTable slots;
  std::vector<int> places(5'000);
  std::vector<SlotTable::Name> names;
  names.reserve(places.size());
  for (int& place : places) names.push_back(slots.open(channel_at(place), 100));
  for (std::size_t i = 0; i < places.size(); ++i) EXPECT_EQ(slots.find(names[i]), &channel_at(places[i]));
}

TEST(SlotTable, ADefaultNameIsClosed) {
  const SlotTable slots;
  EXPECT_FALSE(slots.is_open({0, 0}));
  EXPECT_FALSE(slots.is_open({4'000'000'000U, 1}));
}

TEST(SlotTable, WhatIsOnItsWayIsBounded) {
  SlotTable slots;
  int place = 0;
  const auto name = slots.open(channel_at(place), 100);
  EXPECT_TRUE(slots.reserve(name, 60));
  EXPECT_TRUE(slots.reserve(name, 40)) << "exactly the limit";
  EXPECT_FALSE(slots.reserve(name, 1));
  slots.release(name, 60);
  EXPECT_FALSE(slots.reserve(name, 61));
  EXPECT_TRUE(slots.reserve(name, 60)) << "what was refused takes no room";
}

TEST(SlotTable, ASingleLargerMessageMayStandAlone) {
  SlotTable slots;
  int place = 0;
  const auto name = slots.open(channel_at(place), 100);
  EXPECT_TRUE(slots.reserve(name, 5'000));
  EXPECT_FALSE(slots.reserve(name, 1));
  slots.release(name, 5'000);
  EXPECT_TRUE(slots.reserve(name, 1));
  EXPECT_FALSE(slots.reserve(name, 5'000)) << "not alone";
}

TEST(SlotTable, WhatIsOnItsWayToAnOldNameIsGivenBackAllTheSame) {
  SlotTable slots;
  int first = 0;
  int second = 0;
  const auto old = slots.open(channel_at(first), 100);
  EXPECT_TRUE(slots.reserve(old, 90));
  slots.close(old);
  const auto fresh = slots.open(channel_at(second), 200);
  EXPECT_TRUE(slots.reserve(fresh, 110));
  EXPECT_FALSE(slots.reserve(fresh, 1));
  slots.release(old, 90);
  EXPECT_TRUE(slots.reserve(fresh, 90));
}

TEST(SlotTable, OneCloseIsOnItsWayAtATime) {
  SlotTable slots;
  int place = 0;
  const auto first = slots.open(channel_at(place), 1000);
  EXPECT_TRUE(slots.set_out_to_close(first));
  EXPECT_FALSE(slots.set_out_to_close(first));
  slots.closing_arrived(first);
  EXPECT_TRUE(slots.set_out_to_close(first)) << "that one may have been too late to be heard";
  slots.close(first);
  const auto second = slots.open(channel_at(place), 1000);
  EXPECT_TRUE(slots.set_out_to_close(second));
  slots.closing_arrived(first);
  EXPECT_FALSE(slots.set_out_to_close(second)) << "the old one's arrival is none of its business";
}

TEST(Mailbox, AfterItsLoopHasGonePostingIsAnAnswer) {
  auto loop = std::make_unique<io::Loop>();
  Mailbox mailbox(*loop);
  bool ran = false;
  EXPECT_TRUE(mailbox.post([&] {
    ran = true;
    loop->stop();
  }));
  loop->run();
  EXPECT_TRUE(ran);
  mailbox.detach();
  loop.reset();
  EXPECT_FALSE(mailbox.post([] { FAIL(); }));
}

}  // namespace
}  // namespace fairlead::net

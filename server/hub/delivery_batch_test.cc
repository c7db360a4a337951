// SPDX-License-Identifier: Apache-2.0
#include "hub/delivery_batch.h"

#include "hub/hub.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::server {
namespace {

class JoiningEncoder final : public PublicationEncoder {
 public:
  SharedMessage encode(const Delivery& delivery, const WireForm&) const override {
    return SharedMessage::text(delivery.publication().data);
  }
  SharedMessage encode_together(std::span<const DeliveryPtr> deliveries, const WireForm&) const override {
    ++joined;
    std::string whole;
    for (const DeliveryPtr& delivery : deliveries) whole.append(delivery->publication().data).append(";");
    return SharedMessage::text(whole);
  }
  mutable int joined = 0;
};

const JoiningEncoder encoder;

DeliveryPtr delivery(const std::string& channel, const std::string& data, std::uint64_t offset = 0) {
  auto publication = std::make_shared<Publication>();
  publication->data = data;
  return std::make_shared<const Delivery>(encoder, channel, 1, std::move(publication), StreamPosition{offset, "e"},
                                          nullptr);
}

TEST(DeliveryBatch, EndsWhereAnotherChannelBegins) {
  const std::vector<DeliveryPtr> waiting{delivery("a", "1"), delivery("a", "2"), delivery("b", "3"),
                                         delivery("a", "4")};
  EXPECT_EQ(DeliveryBatch::first_of(waiting).size(), 2U);
  EXPECT_EQ(DeliveryBatch::first_of(std::span(waiting).subspan(2)).size(), 1U);
}

TEST(DeliveryBatch, HoldsNoMoreThanItsLimitsButAlwaysOne) {
  const std::vector<DeliveryPtr> many(DeliveryBatch::most_publications + 1, delivery("a", "x"));
  EXPECT_EQ(DeliveryBatch::first_of(many).size(), DeliveryBatch::most_publications);
  const std::string half(DeliveryBatch::most_bytes / 2, 'x');
  const std::vector<DeliveryPtr> large{delivery("a", half), delivery("a", half), delivery("a", "y")};
  EXPECT_EQ(DeliveryBatch::first_of(large).size(), 2U);
  const std::vector<DeliveryPtr> larger{delivery("a", half + half + "x"), delivery("a", "y")};
  EXPECT_EQ(DeliveryBatch::first_of(larger).size(), 1U);
}

TEST(DeliveryBatch, ContinuesWhereNothingIsMissing) {
  const std::vector<DeliveryPtr> row{delivery("a", "1", 5), delivery("a", "2", 6)};
  const DeliveryBatch batch = DeliveryBatch::first_of(row);
  EXPECT_TRUE(batch.continues({4, "e"}));
  EXPECT_FALSE(batch.continues({3, "e"}));
  EXPECT_FALSE(batch.continues({5, "e"}));
  EXPECT_FALSE(batch.continues({4, "other"}));
  const std::vector<DeliveryPtr> hole{delivery("a", "1", 5), delivery("a", "2", 7)};
  EXPECT_FALSE(DeliveryBatch::first_of(hole).continues({4, "e"}));
}

TEST(DeliveryBatch, IsJoinedOnceForEachForm) {
  const std::vector<DeliveryPtr> row{delivery("a", "1"), delivery("a", "2")};
  const DeliveryBatch batch = DeliveryBatch::first_of(row);
  const int before = encoder.joined;
  EXPECT_EQ(as_text(batch.frame({}).payload()), "1;2;");
  EXPECT_EQ(as_text(batch.frame({}).payload()), "1;2;");
  EXPECT_EQ(encoder.joined, before + 1);
  EXPECT_EQ(as_text(batch.frame({.envelope = Envelope::bare}).payload()), "1;2;");
  EXPECT_EQ(encoder.joined, before + 2);
}

class Listener final : public Subscriber {
 public:
  explicit Listener(bool takes_batches) : takes_batches_(takes_batches) {}
  void on_delivery(const DeliveryPtr& one) override {
    heard += one->publication().data;
    if (meanwhile) meanwhile();
  }
  bool on_deliveries(const DeliveryBatch& batch) override {
    if (takes_batches_) heard += "[" + std::to_string(batch.size()) + "]";
    return takes_batches_;
  }
  void on_join(const ClientInfo&) override {}
  void on_leave(const ClientInfo&) override {}
  std::string heard;
  std::function<void()> meanwhile;

 private:
  bool takes_batches_;
};

TEST(Hub, DeliversOneByOneToWhoDoesNotTakeSeveral) {
  Hub hub;
  Listener several(true), single(false), elsewhere(true);
  hub.add("a", several);
  hub.add("a", single);
  hub.add("b", elsewhere);
  const std::vector<DeliveryPtr> row{delivery("a", "1"), delivery("a", "2")};
  hub.deliver(DeliveryBatch::first_of(row));
  EXPECT_EQ(several.heard, "[2]");
  EXPECT_EQ(single.heard, "12");
  EXPECT_EQ(elsewhere.heard, "");
  hub.deliver(DeliveryBatch::first_of(std::span(row).first(1)));
  EXPECT_EQ(several.heard, "[2]1");
}

TEST(Hub, WhoLeavesInTheMiddleOfABatchHearsNoMoreOfIt) {
  Hub hub;
  Listener leaver(false), stays(false);
  hub.add("a", leaver);
  hub.add("a", stays);
  leaver.meanwhile = [&] { hub.remove("a", leaver); };
  const std::vector<DeliveryPtr> row{delivery("a", "1"), delivery("a", "2")};
  hub.deliver(DeliveryBatch::first_of(row));
  EXPECT_EQ(leaver.heard, "1");
  EXPECT_EQ(stays.heard, "12");
}

}  // namespace
}  // namespace fairlead::server

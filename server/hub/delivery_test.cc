// SPDX-License-Identifier: Apache-2.0
#include "hub/delivery.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace fairlead::server {
namespace {

class CountingEncoder final : public PublicationEncoder {
 public:
  SharedMessage encode(const Delivery& delivery, const WireForm& form) const override {
    ++encoded;
    return SharedMessage::text(delivery.publication().data + std::to_string(static_cast<int>(form.format)) +
                               std::to_string(static_cast<int>(form.payload)) +
                               std::to_string(static_cast<int>(form.envelope)) + (form.compact ? "c" : ""));
  }
  mutable std::atomic<int> encoded{0};
};

Delivery delivery_with(const CountingEncoder& encoder) {
  auto publication = std::make_shared<Publication>();
  publication->data = "x";
  return {encoder, "news", 7, std::move(publication), StreamPosition{3, "e"}, nullptr};
}

std::vector<WireForm> all_forms() {
  std::vector<WireForm> forms;
  for (const WireFormat format : {WireFormat::json, WireFormat::protobuf})
    for (const PayloadForm payload : {PayloadForm::plain, PayloadForm::delta_base, PayloadForm::delta})
      for (const Envelope envelope : {Envelope::reply, Envelope::bare})
        for (const bool compact : {false, true}) forms.push_back({format, payload, envelope, compact});
  return forms;
}

TEST(Delivery, EachFormIsEncodedOnceAndIsAnother) {
  const CountingEncoder encoder;
  const Delivery delivery = delivery_with(encoder);
  std::set<std::string> texts;
  for (int round = 0; round < 2; ++round)
    for (const WireForm& form : all_forms()) {
      const auto payload = delivery.frame(form).payload();
      texts.emplace(reinterpret_cast<const char*>(payload.data()), payload.size());
    }
  EXPECT_EQ(encoder.encoded, 24);
  EXPECT_EQ(texts.size(), 24U);
}

TEST(Delivery, ManyThreadsShareOneEncoding) {
  const CountingEncoder encoder;
  const Delivery delivery = delivery_with(encoder);
  std::vector<std::thread> threads;
  std::atomic<int> same{0};
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 100; ++round)
        if (&delivery.frame({}) == &delivery.frame({})) ++same;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(encoder.encoded, 1);
  EXPECT_EQ(same, 400);
}

}  // namespace
}  // namespace fairlead::server

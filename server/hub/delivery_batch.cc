// SPDX-License-Identifier: Apache-2.0
#include "hub/delivery_batch.h"

#include <algorithm>

namespace fairlead::server {

DeliveryBatch DeliveryBatch::first_of(std::span<const DeliveryPtr> waiting) {
  const std::string& channel = waiting.front()->channel();
  std::size_t count = 0;
  std::size_t bytes = 0;
  for (const DeliveryPtr& delivery : waiting) {
    const std::size_t more = delivery->publication().data.size();
    const bool fits = count < most_publications && bytes + more <= most_bytes && delivery->channel() == channel;
    if (count > 0 && !fits) break;
    ++count;
    bytes += more;
  }
  return {waiting.first(count), bytes};
}

bool DeliveryBatch::continues(const StreamPosition& position) const {
  std::uint64_t offset = position.offset;
  return std::ranges::all_of(deliveries_, [&](const DeliveryPtr& delivery) {
    return delivery->position().offset == ++offset && delivery->position().epoch == position.epoch;
  });
}

const SharedMessage& DeliveryBatch::frame(const WireForm& form) const {
  const auto known = std::ranges::find(frames_, form, &std::pair<WireForm, SharedMessage>::first);
  if (known != frames_.end()) return known->second;
  return frames_.emplace_back(form, deliveries_.front()->encoder().encode_together(deliveries_, form)).second;
}

}  // namespace fairlead::server

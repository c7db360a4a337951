// SPDX-License-Identifier: Apache-2.0
// Publications of one channel that have reached a loop together. Whoever takes them as they are gets one frame with all
// of them, put together once for each form: a burst then costs each subscriber as much as one publication.
#pragma once

#include "hub/delivery.h"

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace fairlead::server {

// One loop, one thread. A view: what it was made of outlives it.
class DeliveryBatch {
 public:
  // So that a batch never fills much of a queue by itself, nor delays its first publication noticeably.
  static constexpr std::size_t most_publications = 64, most_bytes = std::size_t{16} * 1024;

  // The first of `waiting`, and those behind it that are of its channel, as far as the limits allow. Not of nothing.
  [[nodiscard]] static DeliveryBatch first_of(std::span<const DeliveryPtr> waiting);

  [[nodiscard]] std::span<const DeliveryPtr> deliveries() const noexcept { return deliveries_; }
  [[nodiscard]] std::size_t size() const noexcept { return deliveries_.size(); }
  // Of the payloads, without what the protocol puts around them.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  // They follow one another and `position` without a gap.
  [[nodiscard]] bool continues(const StreamPosition& position) const;
  // All in one frame; empty when they cannot be joined.
  [[nodiscard]] const SharedMessage& frame(const WireForm& form) const;

 private:
  DeliveryBatch(std::span<const DeliveryPtr> deliveries, std::size_t bytes) : deliveries_(deliveries), bytes_(bytes) {}

  std::span<const DeliveryPtr> deliveries_;
  std::size_t bytes_;
  mutable std::vector<std::pair<WireForm, SharedMessage>> frames_;  // two or three
};

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
#include "session/backlog.h"

#include <algorithm>
#include <utility>

namespace fairlead::server {

std::optional<Backlog::Left> Backlog::add(DeliveryPtr delivery) {
  std::optional<Left> left;
  if (terms_.policy == SlowPolicy::sample) {
    left = make_room(TraceKind::sampled);
  } else if (terms_.policy == SlowPolicy::conflate) {
    left = replace_same_key(*delivery);
  }
  if (!left && waiting_.size() >= std::max<std::size_t>(terms_.messages, 1)) left = make_room(TraceKind::dropped);
  waiting_.push_back(std::move(delivery));
  return left;
}

DeliveryPtr Backlog::take() {
  DeliveryPtr oldest = std::move(waiting_.front());
  waiting_.pop_front();
  return oldest;
}

std::optional<Backlog::Left> Backlog::make_room(TraceKind why) {
  if (waiting_.empty()) return std::nullopt;
  return Left{take(), why};
}

// The newer one goes to the end, so that offsets keep rising. Publications without a key are all of the same, empty
// one.
std::optional<Backlog::Left> Backlog::replace_same_key(const Delivery& newer) {
  const std::string& key = key_of(newer);
  const auto older = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const DeliveryPtr& delivery) { return key_of(*delivery) == key; });
  if (older == waiting_.end()) return std::nullopt;
  Left left{std::move(*older), TraceKind::conflated};
  waiting_.erase(older);
  return left;
}

const std::string& Backlog::key_of(const Delivery& delivery) const {
  if (terms_.conflate_tag.empty()) return delivery.publication().key;
  static const std::string none;
  const auto tag = delivery.publication().tags.find(terms_.conflate_tag);
  return tag == delivery.publication().tags.end() ? none : tag->second;
}

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
// What waits for a subscription whose client takes its messages too slowly, bounded, by its policy. A publication that
// is left out here is not a gap: the subscription's position goes on, as the policy was chosen to allow it.
#pragma once

#include "hub/delivery.h"
#include "metrics/trace.h"
#include "model/channel.h"

#include <cstddef>
#include <deque>
#include <optional>
#include <string>

namespace fairlead::server {

class Backlog {
 public:
  struct Terms {
    SlowPolicy policy = SlowPolicy::drop_oldest;
    std::size_t messages = 128;
    std::string conflate_tag;
  };
  struct Left {  // out
    DeliveryPtr delivery;
    TraceKind why = TraceKind::dropped;
  };

  explicit Backlog(Terms terms) : terms_(std::move(terms)) {}
  // What had to go for it.
  [[nodiscard]] std::optional<Left> add(DeliveryPtr delivery);
  [[nodiscard]] DeliveryPtr take();  // the oldest; not when empty
  [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return waiting_.size(); }

 private:
  [[nodiscard]] std::optional<Left> make_room(TraceKind why);
  [[nodiscard]] std::optional<Left> replace_same_key(const Delivery& newer);
  [[nodiscard]] const std::string& key_of(const Delivery& delivery) const;
  Terms terms_;
  std::deque<DeliveryPtr> waiting_;
};

}  // namespace fairlead::server

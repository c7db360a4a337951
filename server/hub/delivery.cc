// SPDX-License-Identifier: Apache-2.0
#include "hub/delivery.h"

#include <utility>

namespace fairlead::server {

SharedMessage PublicationEncoder::encode_together(std::span<const DeliveryPtr> /*deliveries*/,
                                                  const WireForm& /*form*/) const {
  return {};
}

Delivery::Delivery(const PublicationEncoder& encoder, std::string channel, std::int64_t channel_number,
                   PublicationPtr publication, StreamPosition position, PublicationPtr previous)
    : encoder_(&encoder),
      channel_(std::move(channel)),
      channel_number_(channel_number),
      publication_(std::move(publication)),
      position_(std::move(position)),
      previous_(std::move(previous)) {}

const SharedMessage* Delivery::made(const WireForm& form) const noexcept {
  for (const Made* one = newest_.load(std::memory_order_acquire); one != nullptr; one = one->before.get()) {
    if (one->form == form) return &one->frame;
  }
  return nullptr;
}

// Encoded under the lock, so that two loops never do the same work; whoever comes later takes it without one.
const SharedMessage& Delivery::frame(const WireForm& form) const {
  if (const SharedMessage* ready = made(form)) return *ready;
  const std::scoped_lock lock(encoding_);
  if (const SharedMessage* ready = made(form)) return *ready;
  made_ = std::make_unique<const Made>(form, encoder_->encode(*this, form), std::move(made_));
  newest_.store(made_.get(), std::memory_order_release);
  return made_->frame;
}

}  // namespace fairlead::server

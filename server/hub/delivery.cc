// SPDX-License-Identifier: Apache-2.0
#include "hub/delivery.h"

#include <utility>

namespace fairlead::server {

namespace {

std::size_t index_of(const WireForm& form) noexcept {
  std::size_t index = static_cast<std::size_t>(form.format);
  index = index * 3 + static_cast<std::size_t>(form.payload);
  index = index * 2 + static_cast<std::size_t>(form.envelope);
  return index * 2 + (form.compact ? 1 : 0);
}

}  // namespace

SharedMessage PublicationEncoder::join(std::span<const SharedMessage> /*frames*/) const { return {}; }

Delivery::Delivery(const PublicationEncoder& encoder, std::string channel, std::int64_t channel_number,
                   PublicationPtr publication, StreamPosition position, PublicationPtr previous)
    : encoder_(&encoder),
      channel_(std::move(channel)),
      channel_number_(channel_number),
      publication_(std::move(publication)),
      position_(std::move(position)),
      previous_(std::move(previous)) {}

// Encoded under the lock, so that two loops never do the same work; whoever comes later takes it without one.
const SharedMessage& Delivery::frame(const WireForm& form) const {
  const std::size_t index = index_of(form);
  if (const SharedMessage* ready = ready_[index].load(std::memory_order_acquire)) return *ready;
  const std::scoped_lock lock(encoding_);
  if (const SharedMessage* ready = ready_[index].load(std::memory_order_relaxed)) return *ready;
  frames_[index] = encoder_->encode(*this, form);
  ready_[index].store(&frames_[index], std::memory_order_release);
  return frames_[index];
}

}  // namespace fairlead::server

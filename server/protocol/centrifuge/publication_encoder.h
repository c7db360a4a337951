// SPDX-License-Identifier: Apache-2.0
// Publications on their way to many: one shared frame for each form that somebody wants.
#pragma once

#include "hub/delivery.h"

namespace fairlead::server::centrifuge {

class CentrifugePublicationEncoder final : public PublicationEncoder {
 public:
  explicit CentrifugePublicationEncoder(SharedMessage::Compression compression) : compression_(compression) {}
  [[nodiscard]] SharedMessage encode(const Delivery& delivery, const WireForm& form) const override;
  [[nodiscard]] SharedMessage join(std::span<const SharedMessage> frames) const override;

 private:
  SharedMessage::Compression compression_;
};

}  // namespace fairlead::server::centrifuge

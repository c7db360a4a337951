// SPDX-License-Identifier: Apache-2.0
// Publications on their way to many: one shared frame for each form that somebody wants.
#pragma once

#include "hub/delivery.h"

namespace fairlead::server::centrifuge {

class CentrifugePublicationEncoder final : public PublicationEncoder {
 public:
  explicit CentrifugePublicationEncoder(SharedMessage::Compression compression) : compression_(compression) {}
  [[nodiscard]] SharedMessage encode(const Delivery& delivery, const WireForm& form) const override;
  [[nodiscard]] SharedMessage encode_together(std::span<const DeliveryPtr> deliveries,
                                              const WireForm& form) const override;

 private:
  [[nodiscard]] SharedMessage framed(const std::string& message, WireFormat format) const;
  SharedMessage::Compression compression_;
};

}  // namespace fairlead::server::centrifuge

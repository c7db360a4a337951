// SPDX-License-Identifier: Apache-2.0
#include "protocol/centrifuge/publication_encoder.h"

#include "protocol/centrifuge/json_encode.h"
#include "protocol/centrifuge/protobuf_encode.h"

#include <string>

namespace fairlead::server::centrifuge {

namespace {

// What the protocol puts around a payload, unless names are long or there are tags.
constexpr std::size_t envelope_bytes = 128;

void append(const Delivery& delivery, const WireForm& form, std::string& out) {
  return form.format == WireFormat::json ? encode_json(delivery, form, out) : encode_protobuf(delivery, form, out);
}

std::size_t expected_bytes(const Delivery& delivery) { return delivery.publication().data.size() + envelope_bytes; }

}  // namespace

SharedMessage CentrifugePublicationEncoder::framed(const std::string& message, WireFormat format) const {
  return format == WireFormat::json ? SharedMessage::text(message, compression_)
                                    : SharedMessage::binary(as_bytes(message), compression_);
}

SharedMessage CentrifugePublicationEncoder::encode(const Delivery& delivery, const WireForm& form) const {
  std::string message;
  message.reserve(expected_bytes(delivery));
  append(delivery, form, message);
  return framed(message, form.format);
}

// A frame may hold several messages: JSON one in each line, Protobuf each with its length before it.
SharedMessage CentrifugePublicationEncoder::encode_together(std::span<const DeliveryPtr> deliveries,
                                                            const WireForm& form) const {
  std::string whole;
  std::size_t expected = 0;
  for (const DeliveryPtr& delivery : deliveries) expected += expected_bytes(*delivery);
  whole.reserve(expected);
  for (const DeliveryPtr& delivery : deliveries) {
    if (form.format == WireFormat::json && !whole.empty()) whole.push_back('\n');
    append(*delivery, form, whole);
  }
  return framed(whole, form.format);
}

}  // namespace fairlead::server::centrifuge

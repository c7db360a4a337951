// SPDX-License-Identifier: Apache-2.0
#include "protocol/centrifuge/publication_encoder.h"

#include "protocol/centrifuge/json_encode.h"
#include "protocol/centrifuge/protobuf_encode.h"

#include <string>

namespace fairlead::server::centrifuge {

SharedMessage CentrifugePublicationEncoder::encode(const Delivery& delivery, const WireForm& form) const {
  std::string message;
  if (form.format == WireFormat::json) {
    encode_json(delivery, form, message);
    return SharedMessage::text(message, compression_);
  }
  encode_protobuf(delivery, form, message);
  return SharedMessage::binary(as_bytes(message), compression_);
}

// A frame may hold several messages: JSON one in each line, Protobuf each with its length before it.
SharedMessage CentrifugePublicationEncoder::join(std::span<const SharedMessage> frames) const {
  const bool text = frames.front().kind() == MessageKind::text;
  std::string whole;
  for (const SharedMessage& frame : frames) {
    if (text && !whole.empty()) whole.push_back('\n');
    whole.append(as_text(frame.payload()));
  }
  return text ? SharedMessage::text(whole, compression_) : SharedMessage::binary(as_bytes(whole), compression_);
}

}  // namespace fairlead::server::centrifuge

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

}  // namespace fairlead::server::centrifuge

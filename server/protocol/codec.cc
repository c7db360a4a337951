// SPDX-License-Identifier: Apache-2.0
#include "protocol/codec.h"

#include "protocol/centrifuge/json_codec.h"
#include "protocol/centrifuge/protobuf_codec.h"
#include "protocol/centrifuge/publication_encoder.h"

namespace fairlead::server {

std::unique_ptr<const Codec> make_codec(WireFormat format, CodecLimits limits) {
  if (format == WireFormat::json) return std::make_unique<const centrifuge::JsonCodec>(limits);
  return std::make_unique<const centrifuge::ProtobufCodec>(limits);
}

std::unique_ptr<const PublicationEncoder> make_publication_encoder(SharedMessage::Compression compression) {
  return std::make_unique<const centrifuge::CentrifugePublicationEncoder>(compression);
}

}  // namespace fairlead::server

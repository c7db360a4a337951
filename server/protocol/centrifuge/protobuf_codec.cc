// SPDX-License-Identifier: Apache-2.0
#include "protocol/centrifuge/protobuf_codec.h"

#include "protocol/centrifuge/protobuf_decode.h"
#include "protocol/centrifuge/protobuf_encode.h"

#include <google/protobuf/stubs/logging.h>

#include <mutex>

namespace fairlead::server::centrifuge {

// The library writes a line for each text that is no UTF-8: a peer must not be able to fill our log with them.
ProtobufCodec::ProtobufCodec(CodecLimits limits) : limits_(limits) {
  static std::once_flag silenced;
  std::call_once(silenced, [] { google::protobuf::SetLogHandler(nullptr); });
}

std::expected<std::vector<Command>, DisconnectReason> ProtobufCodec::decode(Bytes frame) const {
  auto commands = decode_protobuf(frame, limits_);
  if (!commands) return std::unexpected(disconnect_reason::bad_request);
  return *std::move(commands);
}

std::expected<EmulationRequest, DisconnectReason> ProtobufCodec::decode_emulation(Bytes body) const {
  auto request = decode_protobuf_emulation(body, limits_);
  if (!request) return std::unexpected(disconnect_reason::bad_request);
  return *std::move(request);
}

void ProtobufCodec::encode(const Reply& reply, std::string& out) const { encode_protobuf(reply, out); }

void ProtobufCodec::encode(const Push& push, Envelope envelope, std::string& out) const {
  encode_protobuf(push, envelope, out);
}

}  // namespace fairlead::server::centrifuge

// SPDX-License-Identifier: Apache-2.0
#include "protocol/centrifuge/json_codec.h"

#include "protocol/centrifuge/json_decode.h"
#include "protocol/centrifuge/json_encode.h"

namespace fairlead::server::centrifuge {

std::expected<std::vector<Command>, DisconnectReason> JsonCodec::decode(Bytes frame) const {
  auto commands = decode_json(as_text(frame), limits_);
  if (!commands) return std::unexpected(disconnect_reason::bad_request);
  return *std::move(commands);
}

std::expected<EmulationRequest, DisconnectReason> JsonCodec::decode_emulation(Bytes body) const {
  auto request = decode_json_emulation(as_text(body), limits_);
  if (!request) return std::unexpected(disconnect_reason::bad_request);
  return *std::move(request);
}

void JsonCodec::encode(const Reply& reply, std::string& out) const { encode_json(reply, out); }

void JsonCodec::encode(const Push& push, Envelope envelope, std::string& out) const {
  encode_json(push, envelope, out);
}

}  // namespace fairlead::server::centrifuge

// SPDX-License-Identifier: Apache-2.0
// The protocol in Protobuf, in binary frames: each message with its length before it.
#pragma once

#include "protocol/codec.h"

namespace fairlead::server::centrifuge {

class ProtobufCodec final : public Codec {
 public:
  explicit ProtobufCodec(CodecLimits limits);

  [[nodiscard]] WireFormat format() const noexcept override { return WireFormat::protobuf; }
  [[nodiscard]] std::expected<std::vector<Command>, DisconnectReason> decode(Bytes frame) const override;
  [[nodiscard]] std::expected<EmulationRequest, DisconnectReason> decode_emulation(Bytes body) const override;
  void encode(const Reply& reply, std::string& out) const override;
  void encode(const Push& push, Envelope envelope, std::string& out) const override;
  void ping(std::string& out) const override { out.push_back(0); }
  [[nodiscard]] std::string_view separator() const noexcept override { return ""; }

 private:
  CodecLimits limits_;
};

}  // namespace fairlead::server::centrifuge

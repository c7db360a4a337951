// SPDX-License-Identifier: Apache-2.0
// The protocol in JSON, in text frames.
#pragma once

#include "protocol/codec.h"

namespace fairlead::server::centrifuge {

class JsonCodec final : public Codec {
 public:
  explicit JsonCodec(CodecLimits limits) : limits_(limits) {}

  [[nodiscard]] WireFormat format() const noexcept override { return WireFormat::json; }
  [[nodiscard]] std::expected<std::vector<Command>, DisconnectReason> decode(Bytes frame) const override;
  [[nodiscard]] std::expected<EmulationRequest, DisconnectReason> decode_emulation(Bytes body) const override;
  void encode(const Reply& reply, std::string& out) const override;
  void encode(const Push& push, Envelope envelope, std::string& out) const override;
  void ping(std::string& out) const override { out += "{}"; }
  [[nodiscard]] std::string_view separator() const noexcept override { return "\n"; }

 private:
  CodecLimits limits_;
};

}  // namespace fairlead::server::centrifuge

// SPDX-License-Identifier: Apache-2.0
// Between the bytes of a frame and the values of model/command.h. A codec knows no connection and has no state: one
// serves every connection of a process, from any thread.
#pragma once

#include "hub/delivery.h"
#include "model/command.h"

#include <fairlead/bytes.h>
#include <fairlead/shared_message.h>

#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::server {

// How much one frame may make of itself. Bytes are the transport's concern; these bound what a byte may turn into.
struct CodecLimits {
  std::size_t commands = 1024;  // of one frame
  std::size_t entries = 4096;   // of the maps and lists of one frame, all together
  std::size_t depth = 64;       // of nested values
};

// The body of POST /emulation: commands that belong to a connection whose own transport cannot carry them.
struct EmulationRequest {
  std::string node, session;
  std::string data;  // a frame, to be decoded by the codec of that connection
  friend bool operator==(const EmulationRequest&, const EmulationRequest&) = default;
};

class Codec {
 public:
  virtual ~Codec() = default;
  [[nodiscard]] virtual WireFormat format() const noexcept = 0;

  // The commands of one whole frame, in order and at least one. 3501 when any part of the frame breaks the format; then
  // none of it counts.
  [[nodiscard]] virtual std::expected<std::vector<Command>, DisconnectReason> decode(Bytes frame) const = 0;
  [[nodiscard]] virtual std::expected<EmulationRequest, DisconnectReason> decode_emulation(Bytes body) const = 0;

  // Each appends one message to `out`. Several make one frame with `separator()` between them, never after the last.
  virtual void encode(const Reply& reply, std::string& out) const = 0;
  virtual void encode(const Push& push, Envelope envelope, std::string& out) const = 0;
  virtual void ping(std::string& out) const = 0;  // the same in both envelopes
  [[nodiscard]] virtual std::string_view separator() const noexcept = 0;
};

// The Centrifuge client protocol (protocol/centrifuge).
[[nodiscard]] std::unique_ptr<const Codec> make_codec(WireFormat format, CodecLimits limits = {});

// Writes publications for a Delivery. `compression`: what the transports that send the frames can make use of.
[[nodiscard]] std::unique_ptr<const PublicationEncoder> make_publication_encoder(
    SharedMessage::Compression compression = SharedMessage::Compression::none);

}  // namespace fairlead::server

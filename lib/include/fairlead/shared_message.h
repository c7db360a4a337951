// SPDX-License-Identifier: Apache-2.0
// One message for many receivers: framed once, then sent to any number of connections without copying its payload.
#pragma once

#include <fairlead/bytes.h>
#include <fairlead/message.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace fairlead {

class SharedMessage;
namespace ws {
SharedMessage join(std::span<const SharedMessage> messages);
}

// A message in the form in which a server puts it on the wire (RFC 6455 5.1: server frames are not masked, so they are
// the same bytes for every receiver). Copies share one immutable block; usable from any thread.
class SharedMessage {
 public:
  enum class Compression : std::uint8_t {
    none,  // sent as it is to everybody (default)
    once,  // compressed once too; receivers that agreed on permessage-deflate without our context takeover get that
  };

  // An empty handle; sending it is an error of the caller.
  SharedMessage() = default;
  // `payload` is copied once, here. Text that is not valid UTF-8 makes an empty handle.
  SharedMessage(MessageKind kind, Bytes payload, Compression compression = Compression::none);

  [[nodiscard]] static SharedMessage text(std::string_view payload, Compression compression = Compression::none) {
    return {MessageKind::text, as_bytes(payload), compression};
  }
  [[nodiscard]] static SharedMessage binary(Bytes payload, Compression compression = Compression::none) {
    return {MessageKind::binary, payload, compression};
  }

  [[nodiscard]] explicit operator bool() const noexcept { return block_ != nullptr; }
  [[nodiscard]] MessageKind kind() const noexcept;
  [[nodiscard]] Bytes payload() const noexcept;
  // The whole frame, header and payload; `compressed_frame` is empty unless compression was asked for and paid off.
  [[nodiscard]] Bytes frame() const noexcept;
  [[nodiscard]] Bytes compressed_frame() const noexcept;

 private:
  friend SharedMessage ws::join(std::span<const SharedMessage> messages);
  struct Block;
  std::shared_ptr<const Block> block_;
};

}  // namespace fairlead

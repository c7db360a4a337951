// SPDX-License-Identifier: Apache-2.0
// The base framing protocol: frame headers as values, parsed and written (RFC 6455 5.2).
#pragma once

#include <fairlead/bytes.h>
#include <fairlead/error.h>

#include "ws/mask.h"
#include "ws/role.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>

namespace fairlead::ws {

enum class Opcode : std::uint8_t { continuation = 0x0, text = 0x1, binary = 0x2, close = 0x8, ping = 0x9, pong = 0xA };

[[nodiscard]] constexpr bool is_control(Opcode opcode) noexcept { return (static_cast<unsigned>(opcode) & 0x8U) != 0; }

inline constexpr std::size_t max_header_bytes = 14;
inline constexpr std::size_t max_control_payload_bytes = 125;  // RFC 6455 5.5

struct FrameHeader {
  std::uint64_t payload_bytes = 0;
  MaskKey mask{};
  Opcode opcode = Opcode::continuation;
  bool fin = true;
  bool rsv1 = false;  // permessage-deflate: the message is compressed (RFC 7692 6)
  bool masked = false;
  std::uint8_t size = 0;  // bytes of the header itself, when it was parsed
};

// What the reader of a frame insists on.
struct FrameRules {
  Role reader = Role::server;
  bool deflate = false;  // permessage-deflate was negotiated
};

// The header at the front of `in`; nothing when more bytes are needed. Each rule that one header alone can break is
// checked at the first byte that breaks it.
[[nodiscard]] std::expected<std::optional<FrameHeader>, Errc> parse_frame_header(Bytes in, FrameRules rules) noexcept;

// The bytes that `write_frame_header` will write.
[[nodiscard]] std::size_t header_bytes(std::uint64_t payload_bytes, bool masked) noexcept;
// Writes the header to the front of `out` and returns its size.
std::size_t write_frame_header(const FrameHeader& header, MutableBytes out) noexcept;

}  // namespace fairlead::ws

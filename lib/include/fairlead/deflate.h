// SPDX-License-Identifier: Apache-2.0
// What one side wants of permessage-deflate (RFC 7692), before it has been negotiated.
#pragma once

#include <cstdint>

namespace fairlead {

// Never put a secret and bytes that an attacker chooses into the same compression context (RFC 7692 8): with takeover
// that is one direction of the connection, without it one message.
struct DeflateOptions {
  // log2 of the window, 8–15, at most. Smaller windows cost less memory and compress less.
  std::uint8_t send_window_bits = 15;
  std::uint8_t receive_window_bits = 15;
  // Whether the window lives on from message to message. Without: less memory between messages, worse compression.
  bool send_context_takeover = true;
  bool receive_context_takeover = true;

  // Messages share no context, so that one with attacker's text tells nothing of another.
  [[nodiscard]] static constexpr DeflateOptions mixed_trust() noexcept { return {15, 15, false, false}; }
};

}  // namespace fairlead

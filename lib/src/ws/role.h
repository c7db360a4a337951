// SPDX-License-Identifier: Apache-2.0
// The words that every file of this folder shares.
#pragma once

#include <cstdint>

namespace fairlead::ws {

enum class Role : std::uint8_t { server, client };

// How received messages are handed over: whole, or in the pieces in which they arrive (bounded memory for any length).
enum class Delivery : std::uint8_t { messages, chunks };

// Whether one message is compressed; it only matters where permessage-deflate was agreed on.
enum class Compress : std::uint8_t { by_settings, never, always };

// What both ends agreed on for permessage-deflate (RFC 7692 7.1). Bits are 8–15. "ours" compresses, "theirs" inflates.
struct DeflateAgreement {
  std::uint8_t our_window_bits = 15;
  std::uint8_t their_window_bits = 15;
  bool our_context_takeover = true;
  bool their_context_takeover = true;
};

// What became of something that was to be sent.
enum class Sent : std::uint8_t {
  accepted,    // it is in the output
  over_limit,  // dropped by the overflow policy (or the connection is being closed by it: see `close_info`)
  busy,        // a streamed message is open: its pieces must not be interleaved with another message (RFC 6455 5.4)
  closed,      // a close frame has been sent, or the connection failed
  invalid,  // a mistake of the caller, and nothing was sent: text that is not UTF-8, a ping with more than 125 bytes,
            // an empty SharedMessage, a piece of another kind than its message
};

}  // namespace fairlead::ws

// SPDX-License-Identifier: Apache-2.0
// How permessage-deflate is used on a route or by a client.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fairlead {

// permessage-deflate (RFC 7692). Off unless a route turns it on: it costs memory and CPU, and compressing secrets
// together with what others can influence leaks them (8). Without context takeover a message stands for itself.
struct Compression {
  bool enabled = false;
  bool server_context_takeover = false;  // true: better ratio for small alike messages, up to 256 KiB per connection
  bool client_context_takeover = false;
  std::uint8_t server_max_window_bits = 15;  // 9–15
  std::uint8_t client_max_window_bits = 15;  // 8–15
  std::size_t from_bytes = 256;              // smaller messages are sent as they are
  int level = 1;                             // zlib's 1–9: 1 costs a third of 6 for a few per cent more bytes
};

}  // namespace fairlead

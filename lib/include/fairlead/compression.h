// SPDX-License-Identifier: Apache-2.0
// How permessage-deflate (RFC 7692) is used on a route or by a client.
#pragma once

#include <fairlead/deflate.h>

#include <cstddef>
#include <cstdint>

namespace fairlead {

// Off unless a route or a client turns it on: it costs memory and CPU, and compressing secrets together with what
// others can influence leaks them (RFC 7692 8). By default a message stands for itself: no context outlives it.
struct Compression {
  bool enabled = false;
  DeflateOptions deflate = DeflateOptions::mixed_trust();
  std::size_t from_bytes = 256;  // smaller messages are sent as they are
  int level = 1;                 // zlib's 1–9: 1 costs a third of 6's time for a few per cent more bytes
};

}  // namespace fairlead

// SPDX-License-Identifier: Apache-2.0
// What a connection is told by its route, and what it borrows from its loop. Both are lent: they outlive the
// connection, and all connections of a route, or of a loop, share one of each.
#pragma once

#include <fairlead/limits.h>

#include "ws/role.h"

#include <cstddef>
#include <cstdint>

namespace fairlead {
class BufferPool;
class Entropy;
}  // namespace fairlead

namespace fairlead::ws {

class DeflatePool;

// Whose compressor our messages go through where we agreed on no context takeover in our direction. With takeover it is
// the connection's own in any case.
enum class CompressorUse : std::uint8_t {
  shared,     // the loop's, borrowed for a message: 256 KiB for each loop instead of each connection
  dedicated,  // the connection's own, kept between messages
};

struct Settings {
  Limits limits;
  Delivery delivery = Delivery::messages;
  // Smaller messages gain nothing from compression: they fit into one packet either way.
  std::size_t compress_from_bytes = 256;
  int compression_level = 1;  // zlib's 1–9; 1 costs half of 6 and gains nearly as much on JSON
  CompressorUse compressor = CompressorUse::shared;
};

struct Resources {
  Entropy& entropy;
  BufferPool& buffers;
  DeflatePool& deflate;
};

}  // namespace fairlead::ws

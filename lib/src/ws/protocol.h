// SPDX-License-Identifier: Apache-2.0
// What the public protocol::Context holds.
#pragma once

#include <fairlead/protocol.h>

#include "base/buffer.h"
#include "base/entropy.h"
#include "ws/deflate.h"
#include "ws/settings.h"

namespace fairlead::protocol {

struct Context::Parts {
  SystemEntropy entropy;
  BufferPool buffers;
  ws::DeflatePool deflate;
  ws::Resources resources{entropy, buffers, deflate};
};

}  // namespace fairlead::protocol

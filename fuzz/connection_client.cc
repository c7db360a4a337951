// SPDX-License-Identifier: Apache-2.0
// A whole client connection against hostile bytes: see connection_life.h.
#include "connection_life.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fairlead::fuzzing::live(fairlead::ws::Role::client, data, size);
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// The life of one connection as a fuzzer wants it: hostile bytes in random pieces, an application that does what it
// likes, time that jumps. What leaves is read by an honest peer, who must never have a complaint.
#pragma once

#include "ws/role.h"

#include <cstddef>
#include <cstdint>

namespace fairlead::fuzzing {

void live(ws::Role role, const std::uint8_t* data, std::size_t size);

}  // namespace fairlead::fuzzing

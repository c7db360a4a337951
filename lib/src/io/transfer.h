// SPDX-License-Identifier: Apache-2.0
// One read or write of a non-blocking stream socket, and what it came to.
#pragma once

#include <fairlead/bytes.h>

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace fairlead::io {

// What a read or write came to.
enum class Transfer : std::uint8_t { some, would_block, ended, failed };
struct Transferred {
  Transfer what;
  std::size_t bytes = 0;
  int error = 0;  // errno of `failed`
};

// A read into memory that one of both sides had.
struct Received {
  Transfer what;
  MutableBytes bytes{};    // of `some`
  bool left_room = false;  // less than there was room for: then nothing more is there
  int error = 0;           // errno of `failed`
};

// Whether more is written at once, or the end of the direction, so that the system may wait for it.
enum class More : std::uint8_t { nothing, follows };

// What the system said: so many bytes, or an error number below zero.
[[nodiscard]] Transferred outcome(ssize_t result) noexcept;

[[nodiscard]] Transferred receive(int descriptor, MutableBytes into) noexcept;
[[nodiscard]] Transferred send(int descriptor, Bytes from, More more) noexcept;
[[nodiscard]] int send_flags(More more) noexcept;

}  // namespace fairlead::io

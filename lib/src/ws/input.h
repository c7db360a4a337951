// SPDX-License-Identifier: Apache-2.0
// What has been received and not been read: at most two runs of bytes, so that a header split over two receives costs
// a copy of a few bytes instead of a copy of everything that follows it.
#pragma once

#include <fairlead/bytes.h>

#include "base/buffer.h"

#include <cstddef>

namespace fairlead::ws {

// Bytes kept from earlier receives come first, then the caller's own buffer.
class Input {
 public:
  // Takes bytes that stay where they are until `retain`. What was taken before must have been read or retained.
  void receive(MutableBytes in);
  // Copies what has not been read out of the caller's buffer.
  void retain();
  void discard() noexcept;

  // The bytes that come next, as far as they lie in one run.
  [[nodiscard]] MutableBytes front() noexcept { return kept_.empty() ? fresh_ : kept_.readable(); }
  // Makes the next `bytes` bytes lie in one run; false when so many are not there (then all that there are do).
  [[nodiscard]] bool gather(std::size_t bytes);
  // Reads the first `bytes` of `front()`. They stay where they are until the next `gather`, `receive` or `retain`.
  void take(std::size_t bytes);
  [[nodiscard]] bool empty() const noexcept { return kept_.empty() && fresh_.empty(); }

 private:
  Buffer kept_;  // of the heap, not of the pool: usually the few bytes of an unfinished header
  MutableBytes fresh_;
};

}  // namespace fairlead::ws

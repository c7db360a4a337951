// SPDX-License-Identifier: Apache-2.0
// What is far from the processor and will be needed soon. A loop with ten thousand connections finds each of them in
// memory, not in a cache: whoever knows which comes next has it fetched while the one before it is being worked on.
#pragma once

#include <cstddef>

namespace fairlead {

inline constexpr std::size_t cache_line_bytes = 64;

inline void prefetch(const void* begin, std::size_t bytes) noexcept {
  const char* const first = static_cast<const char*>(begin);
  for (std::size_t at = 0; at < bytes; at += cache_line_bytes) __builtin_prefetch(first + at);
}

template <class Object>
void prefetch(const Object& object) noexcept {
  prefetch(&object, sizeof(Object));
}

}  // namespace fairlead

// SPDX-License-Identifier: Apache-2.0
// Assertions are for our own bugs and stay on in release builds: no input of a peer may ever reach one.
#pragma once

namespace fairlead {

// Prints the broken invariant and aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace fairlead

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): needs the text of the condition and its place.
#define FAIRLEAD_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::fairlead::assertion_failed(#condition, __FILE__, __LINE__))

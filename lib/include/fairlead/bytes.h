// SPDX-License-Identifier: Apache-2.0
// Views of bytes. Everything that crosses the library is a view of somebody's buffer; who owns it, and for how long
// the view is good, is said where the view is given.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace fairlead {

// Read-only and writable views of contiguous bytes. Neither owns anything.
using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

// The bytes of a text, and the text of some bytes (no validation; the view shares the input's lifetime).
[[nodiscard]] inline Bytes as_bytes(std::string_view text) noexcept {
  return std::as_bytes(std::span<const char>(text.data(), text.size()));
}
[[nodiscard]] inline std::string_view as_text(Bytes bytes) noexcept {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): char may alias any byte.
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace fairlead

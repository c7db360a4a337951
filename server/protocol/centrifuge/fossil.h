// SPDX-License-Identifier: Apache-2.0
// Fossil deltas: a text of copies from a base and of new bytes, from which a client that has the base makes the target.
// `<size>\n`, then `<count>@<offset>,` (copy) and `<count>:<bytes>` (insert), then `<checksum>;`; numbers in base 64.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::server::fossil {

// Always possible; not always shorter than the target.
[[nodiscard]] std::string create(std::string_view base, std::string_view target);

// For carriers of text: begins and ends no piece inside a character, so that each inserted piece, and with them the
// delta, is UTF-8. Nothing when base or target is not UTF-8, or the delta is not shorter than the target.
[[nodiscard]] std::optional<std::string> create_utf8(std::string_view base, std::string_view target);

// The target; nothing when the delta is malformed, does not fit the base, or makes more than `limit` bytes.
[[nodiscard]] std::optional<std::string> apply(std::string_view base, std::string_view delta, std::size_t limit);

// The sum of the big-endian 32-bit words, the last one filled with zeros.
[[nodiscard]] std::uint32_t checksum(std::string_view bytes) noexcept;

}  // namespace fairlead::server::fossil

// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648 4) as the opening handshake needs it: strict, so that one value has one text.
#pragma once

#include <fairlead/bytes.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::text {

[[nodiscard]] std::string encode_base64(Bytes bytes);

// nullopt for a wrong length, a foreign character, misplaced padding, or bits left over that are not zero.
[[nodiscard]] std::optional<std::vector<std::byte>> decode_base64(std::string_view text);

}  // namespace fairlead::text

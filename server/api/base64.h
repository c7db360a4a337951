// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648 4), strict: how bytes that are no JSON travel inside of JSON ("b64data").
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fairlead::server {

[[nodiscard]] std::string to_base64(std::string_view bytes);
// Nothing for another alphabet, missing padding, or bits that stand for nothing.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace fairlead::server

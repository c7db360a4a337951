// SPDX-License-Identifier: Apache-2.0
// What kind of picture bytes are, by how they begin. Names and fields that came with them are not believed: whoever
// sends "image/png" and means a page with a program in it gets nothing served. SVG is no such picture: it holds
// programs by design.
#pragma once

#include <string_view>

namespace fairlead::server {

// "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"; empty: none of them.
[[nodiscard]] std::string_view picture_type(std::string_view bytes) noexcept;

// One of these names.
[[nodiscard]] bool is_picture_type(std::string_view name) noexcept;

}  // namespace fairlead::server

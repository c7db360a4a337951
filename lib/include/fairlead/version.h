// SPDX-License-Identifier: Apache-2.0
// Which Fairlead this is.
#pragma once

#include <string_view>

namespace fairlead {

// "0.1.0", by semantic versioning: until 1.0 a minor version may change the API.
[[nodiscard]] std::string_view version() noexcept;

}  // namespace fairlead

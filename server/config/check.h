// SPDX-License-Identifier: Apache-2.0
// The rules that span several keys. Whatever makes settings by hand is checked by them as well as what was read.
#pragma once

#include "config/load.h"

#include <vector>

namespace fairlead::server::config {

// Their origins are empty.
[[nodiscard]] std::vector<Problem> check(const Settings& settings);
// What is allowed and yet hardly meant: that nobody can come in. As above.
[[nodiscard]] std::vector<Problem> hints(const Settings& settings);

}  // namespace fairlead::server::config

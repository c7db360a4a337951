// SPDX-License-Identifier: Apache-2.0
// From a value of the tree into a member of the settings, and back.
#pragma once

#include "config/keys.h"
#include "config/value.h"

#include <expected>
#include <string>

namespace fairlead::server::config {

// The broken rule ("must be a duration such as …"), or nothing. Never holds the value.
[[nodiscard]] std::expected<void, std::string> assign(const Slot& slot, const Traits& traits, const Value& value);

// As it would be written in a file; a secret that is not empty is "***" unless `with_secrets`.
[[nodiscard]] Value written(const Slot& slot, const Traits& traits, bool with_secrets);

}  // namespace fairlead::server::config

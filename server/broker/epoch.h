// SPDX-License-Identifier: Apache-2.0
// The name of one life of a stream. Random, so that two lives never share it, not even on two nodes.
#pragma once

#include <string>

namespace fairlead::server {

[[nodiscard]] std::string new_epoch();  // eight letters

}  // namespace fairlead::server

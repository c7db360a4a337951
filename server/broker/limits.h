// SPDX-License-Identifier: Apache-2.0
// What one channel may hold in any engine, whatever publishers send.
#pragma once

#include <cstddef>

namespace fairlead::server {

// Version epochs remembered per channel; a further one pushes out the one that would have expired first. Publishers use
// one, or two while they roll over.
inline constexpr std::size_t version_epochs_per_channel = 8;

}  // namespace fairlead::server

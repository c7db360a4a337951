// SPDX-License-Identifier: Apache-2.0
// What this process uses, as the kernel says.
#pragma once

#include <cstdint>

namespace fairlead::server {

struct ProcessUsage {
  double cpu_percent = 0;  // of one core, averaged since the process began
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_descriptors = 0;
};
[[nodiscard]] ProcessUsage process_usage();

}  // namespace fairlead::server

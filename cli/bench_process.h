// SPDX-License-Identifier: Apache-2.0
// What a process on this machine has used: the server under test, and the generator itself.
#pragma once

#include <fairlead/error.h>

#include <chrono>
#include <cstddef>
#include <optional>

namespace fairlead::cli {

// CPU time of all threads of the process, ended ones too, user and system, since it began.
[[nodiscard]] Result<std::chrono::nanoseconds> cpu_time(long pid);
[[nodiscard]] std::chrono::nanoseconds own_cpu_time();

struct MemoryUse {
  std::size_t resident_bytes = 0;
  // Heap and stacks, swapped out or not. Pages of programs and libraries are left out: what one process is charged for
  // those, by any rule, changes when another one that maps them comes, goes, or touches more of them.
  std::size_t own_bytes = 0;
};
// Nothing when the kernel does not tell (another user's process, not Linux).
[[nodiscard]] std::optional<MemoryUse> memory_use(long pid);

}  // namespace fairlead::cli

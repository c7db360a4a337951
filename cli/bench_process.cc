// SPDX-License-Identifier: Apache-2.0
#include "bench_process.h"

#include <fmt/format.h>
#include <ctime>
#include <fstream>
#include <limits>
#include <string>

namespace fairlead::cli {

namespace {

std::chrono::nanoseconds read_clock(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

Result<std::chrono::nanoseconds> cpu_time(long pid) {
  clockid_t clock{};
  if (clock_getcpuclockid(static_cast<pid_t>(pid), &clock) != 0)
    return fail(Errc::invalid_argument, fmt::format("there is no process {} on this machine", pid));
  return read_clock(clock);
}

std::chrono::nanoseconds own_cpu_time() { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

std::optional<MemoryUse> memory_use(long pid) {
  constexpr std::size_t kilobyte = 1024;  // the kernel's "kB"
  std::ifstream file(fmt::format("/proc/{}/smaps_rollup", pid));
  file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  MemoryUse use;
  std::string field;
  std::size_t amount = 0;
  while (file >> field >> amount) {
    if (field == "Rss:") use.resident_bytes = amount * kilobyte;
    if (field == "Anonymous:" || field == "Swap:") use.own_bytes += amount * kilobyte;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  if (use.resident_bytes == 0) return std::nullopt;
  return use;
}

}  // namespace fairlead::cli

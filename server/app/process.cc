// SPDX-License-Identifier: Apache-2.0
#include "app/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

namespace fairlead::server {
namespace {

const auto began = std::chrono::steady_clock::now();

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace

ProcessUsage process_usage() {
  ProcessUsage usage;
  rusage spent{};
  if (getrusage(RUSAGE_SELF, &spent) == 0) usage.cpu_seconds = seconds(spent.ru_utime) + seconds(spent.ru_stime);
  const double alive = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  if (alive > 0) usage.cpu_percent = 100 * usage.cpu_seconds / alive;
  std::uint64_t pages = 0;
  std::uint64_t resident = 0;
  if (std::ifstream("/proc/self/statm") >> pages >> resident) {
    usage.resident_bytes = resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  }
  std::error_code error;
  for (std::filesystem::directory_iterator file("/proc/self/fd", error), end; !error && file != end;
       file.increment(error)) {
    ++usage.open_descriptors;
  }
  return usage;
}

}  // namespace fairlead::server

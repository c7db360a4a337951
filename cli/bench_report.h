// SPDX-License-Identifier: Apache-2.0
// What `fairlead bench` tells at the end: the same facts for a person and for a program.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bench_load.h"
#include "bench_process.h"

namespace fairlead::cli {

struct ServerUse {
  double cpu_seconds = 0;           // over the measured time
  std::optional<MemoryUse> before;  // before the first connection
  std::optional<MemoryUse> after;   // at the end of the measured time
};

struct BenchResult {
  Tally tally;
  double seconds = 0;                // measured time
  double generator_cpu_seconds = 0;  // over it
  std::size_t connections = 0;       // open at its end
  std::optional<ServerUse> server;

  [[nodiscard]] double per_second() const noexcept;
  // How much the server's memory has grown for each connection; nothing when it is not known.
  [[nodiscard]] std::optional<double> memory_per_connection_bytes() const noexcept;
};

[[nodiscard]] std::string report_text(const BenchOptions& options, const BenchResult& result, bool colour);
[[nodiscard]] std::string report_json(const BenchOptions& options, const BenchResult& result);

}  // namespace fairlead::cli

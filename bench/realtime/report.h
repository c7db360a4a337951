// SPDX-License-Identifier: Apache-2.0
// What a run tells: one JSON object, of the same shape as that of `fairlead bench --json`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "bench_process.h"
#include "histogram.h"

namespace fairlead::bench {

// The server's and our own use of the machine between two moments.
class Meter {
 public:
  explicit Meter(long server_pid) : pid_(server_pid), before_(cli::memory_use(server_pid)) {}
  void start();
  void stop();
  void count_memory() { after_ = cli::memory_use(pid_); }

  [[nodiscard]] double seconds() const noexcept { return seconds_; }
  [[nodiscard]] double server_cpu_seconds() const noexcept { return server_; }
  [[nodiscard]] double own_cpu_seconds() const noexcept { return own_; }
  [[nodiscard]] std::optional<double> memory_growth_bytes() const;

 private:
  long pid_;
  std::optional<cli::MemoryUse> before_, after_;
  std::chrono::steady_clock::time_point began_;
  std::chrono::nanoseconds server_began_{}, own_began_{};
  double seconds_ = 0, server_ = 0, own_ = 0;
};

struct Outcome {
  std::uint64_t count = 0;  // in what the mode counts
  std::size_t clients = 0;
  std::uint64_t reads = 0;  // that it took; 0: not counted
  cli::Histogram latency;
  std::optional<cli::Histogram> bystander;  // of a publisher that has no part in it
  std::string tls_version, tls_cipher;
};

[[nodiscard]] std::string to_json(const Outcome& outcome, const Meter& meter);

}  // namespace fairlead::bench

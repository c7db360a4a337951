// SPDX-License-Identifier: Apache-2.0
// Recording a latency: the load generator does it for every message, so it must not be what is measured.
#include <benchmark/benchmark.h>

#include "histogram.h"

namespace {

void bm_histogram_record(benchmark::State& state) {
  fairlead::cli::Histogram histogram;
  std::uint64_t random = 1;
  for (auto _ : state) {
    random = random * 6364136223846793005U + 1442695040888963407U;
    histogram.record(std::chrono::nanoseconds(10'000 + (random >> 45U)));
  }
}
BENCHMARK(bm_histogram_record);

}  // namespace

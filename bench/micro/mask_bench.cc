// SPDX-License-Identifier: Apache-2.0
// Masking: a server pays for it on every byte it receives, a client on every byte it sends.
#include <benchmark/benchmark.h>

#include <vector>

#include "base/entropy.h"
#include "ws/mask.h"

namespace {

using namespace fairlead;

constexpr ws::MaskKey key{std::byte{0x12}, std::byte{0x34}, std::byte{0x56}, std::byte{0x78}};

void bm_unmask(benchmark::State& state) {
  std::vector<std::byte> payload(static_cast<std::size_t>(state.range(0)) + 1);
  const MutableBytes unaligned = MutableBytes(payload).subspan(1);  // payloads begin anywhere
  for (auto _ : state) {
    ws::apply_mask(unaligned, key);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(bm_unmask)->Arg(20)->Arg(1024)->Arg(16 * 1024)->Arg(128 * 1024);

void bm_fresh_mask_key(benchmark::State& state) {
  SystemEntropy entropy;
  for (auto _ : state) benchmark::DoNotOptimize(ws::fresh_mask_key(entropy));
}
BENCHMARK(bm_fresh_mask_key);

}  // namespace

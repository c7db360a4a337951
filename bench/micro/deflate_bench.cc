// SPDX-License-Identifier: Apache-2.0
// permessage-deflate on a kilobyte of JSON, without context takeover, through a pool as a loop's connections do it.
#include <benchmark/benchmark.h>

#include <array>
#include <string>

#include "base/buffer.h"
#include "ws/deflate.h"

namespace {

using namespace fairlead;

constexpr int window_bits = 15;

std::string json_of(std::size_t size) {
  std::string text = "[";
  for (unsigned id = 7; text.size() < size; id = id * 31 % 99'991)
    text += R"({"id":)" + std::to_string(id) + R"(,"symbol":"EXAMPLE","price":)" + std::to_string(id % 1000) + "},";
  text.resize(size);
  return text;
}

void bm_deflate_json(benchmark::State& state) {
  const std::string json = json_of(1024);
  ws::DeflatePool pool;
  Buffer out;
  for (auto _ : state) {
    auto deflater = pool.lend_deflater(static_cast<int>(state.range(0)), window_bits);
    out.clear();
    deflater->compress(as_bytes(json), true, out);
    pool.take_back(std::move(deflater));
  }
  state.SetBytesProcessed(state.iterations() * 1024);
  state.counters["compressed_bytes"] = static_cast<double>(out.size());
}
BENCHMARK(bm_deflate_json)->ArgName("level")->Arg(1)->Arg(6);

void bm_inflate_json(benchmark::State& state) {
  const std::string json = json_of(1024);
  ws::DeflatePool pool;
  Buffer compressed;
  pool.lend_deflater(1, window_bits)->compress(as_bytes(json), true, compressed);
  std::array<std::byte, 2048> out{};
  for (auto _ : state) {
    auto inflater = pool.lend_inflater(window_bits);
    const auto step = inflater->inflate(compressed.readable(), out);
    benchmark::DoNotOptimize(inflater->inflate(inflater->tail(), MutableBytes(out).subspan(step.produced)));
    pool.take_back(std::move(inflater));
  }
  state.SetBytesProcessed(state.iterations() * 1024);
}
BENCHMARK(bm_inflate_json);

}  // namespace

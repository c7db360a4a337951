// SPDX-License-Identifier: Apache-2.0
// Frame headers, read and written: the three forms of the length (RFC 6455 5.2).
#include <benchmark/benchmark.h>

#include <array>

#include "ws/frame.h"

namespace {

using namespace fairlead;

ws::FrameHeader header_of(benchmark::State& state, bool masked) {
  ws::FrameHeader header;
  header.payload_bytes = static_cast<std::uint64_t>(state.range(0));
  header.opcode = ws::Opcode::binary;
  header.masked = masked;
  return header;
}

void bm_write_frame_header(benchmark::State& state) {
  std::array<std::byte, ws::max_header_bytes> out{};
  const ws::FrameHeader header = header_of(state, false);
  for (auto _ : state) {
    benchmark::DoNotOptimize(ws::write_frame_header(header, out));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(bm_write_frame_header)->Arg(20)->Arg(1024)->Arg(128 * 1024);

void bm_parse_frame_header(benchmark::State& state) {
  std::array<std::byte, ws::max_header_bytes> in{};
  const std::size_t size = ws::write_frame_header(header_of(state, true), in);
  for (auto _ : state) {
    benchmark::DoNotOptimize(in);
    benchmark::DoNotOptimize(ws::parse_frame_header(Bytes(in).first(size), {}));
  }
}
BENCHMARK(bm_parse_frame_header)->Arg(20)->Arg(1024)->Arg(128 * 1024);

}  // namespace

// SPDX-License-Identifier: Apache-2.0
// The whole protocol core on one echo: a masked frame in, the message out of it, the answer's frame. What a message
// costs besides TLS and the kernel.
#include <benchmark/benchmark.h>

#include <array>
#include <vector>

#include "base/buffer.h"
#include "base/entropy.h"
#include "ws/connection.h"
#include "ws/deflate.h"
#include "ws/frame.h"
#include "ws/settings.h"

namespace {

using namespace fairlead;

struct Core {
  SystemEntropy entropy;
  BufferPool buffers;
  ws::DeflatePool deflate;
  ws::Resources resources{entropy, buffers, deflate};
  ws::Settings settings;

  Core() { settings.limits.messages_per_second = unlimited; }
};

std::vector<std::byte> masked_frames(std::size_t payload_bytes, std::size_t count) {
  std::array<std::byte, ws::max_header_bytes> header{};
  ws::FrameHeader frame;
  frame.payload_bytes = payload_bytes;
  frame.opcode = ws::Opcode::binary;
  frame.masked = true;  // with the key 0, so that the bytes stay the same when they are unmasked in place
  const std::size_t size = ws::write_frame_header(frame, header);
  std::vector<std::byte> wire;
  for (std::size_t i = 0; i < count; ++i) {
    wire.insert(wire.end(), header.begin(), header.begin() + static_cast<std::ptrdiff_t>(size));
    wire.resize(wire.size() + payload_bytes);
  }
  return wire;
}

void drain(ws::Connection& connection) {
  std::array<Bytes, 16> views;
  while (const std::size_t filled = connection.output(views)) {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < filled; ++i) bytes += views[i].size();
    connection.consume(bytes);
  }
}

void bm_echo(benchmark::State& state) {
  const auto pipeline = static_cast<std::size_t>(state.range(1));
  std::vector<std::byte> wire = masked_frames(static_cast<std::size_t>(state.range(0)), pipeline);
  Core core;
  const TimePoint now = Clock::now();
  ws::Connection connection(ws::Role::server, core.settings, core.resources, std::nullopt, now);
  for (auto _ : state) {
    connection.receive(wire, now);
    while (const auto event = connection.next_event()) {
      const auto& message = std::get<ws::MessageEvent>(*event).message;
      benchmark::DoNotOptimize(connection.send(message.kind, message.payload, now));
    }
    connection.retain();
    drain(connection);
  }
  state.SetItemsProcessed(state.iterations() * state.range(1));
}
BENCHMARK(bm_echo)->ArgNames({"bytes", "pipeline"})->ArgsProduct({{20, 1024, 16 * 1024}, {1, 16}});

}  // namespace

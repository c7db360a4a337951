// SPDX-License-Identifier: Apache-2.0
// Frame headers: a fault never goes away with more bytes, what was read is what would be written, and the assembler
// behind it makes the same of any split.
#include "base/assert.h"
#include "base/buffer.h"
#include "base/entropy.h"
#include "input.h"
#include "ws/assembler.h"
#include "ws/frame.h"

#include <array>
#include <cstring>
#include <vector>

namespace {

using namespace fairlead;      // NOLINT(google-build-using-namespace): a program of one file
using namespace fairlead::ws;  // NOLINT(google-build-using-namespace)

void check_header(Bytes bytes, FrameRules rules) {
  const auto whole = parse_frame_header(bytes, rules);
  for (std::size_t part = 0; part < std::min(bytes.size(), max_header_bytes); ++part) {
    const auto some = parse_frame_header(bytes.first(part), rules);
    if (!some) FAIRLEAD_ASSERT(!whole && whole.error() == some.error());
    if (some && *some) FAIRLEAD_ASSERT(whole && *whole && (*whole)->payload_bytes == (*some)->payload_bytes);
  }
  if (!whole || !*whole) return;
  std::array<std::byte, max_header_bytes> written{};
  const std::size_t size = write_frame_header(**whole, written);
  FAIRLEAD_ASSERT(size == (*whole)->size);
  FAIRLEAD_ASSERT(std::memcmp(written.data(), bytes.data(), size) == 0);
}

struct Outcome {
  std::string text;  // everything that came out, written down
};

void write_down(Outcome& outcome, const Incoming& incoming) {
  if (const auto* message = std::get_if<MessageEvent>(&incoming))
    outcome.text += "M" + std::string(message->message.text()) + "\n";
  if (const auto* chunk = std::get_if<ChunkEvent>(&incoming)) {
    if (chunk->first) outcome.text += "C";
    outcome.text += as_text(chunk->payload);
    if (chunk->last) outcome.text += "\n";
  }
  if (const auto* frame = std::get_if<ControlFrame>(&incoming))
    outcome.text += "F" + std::string(as_text(frame->payload)) + "\n";
}

Outcome read(const std::string& bytes, std::size_t step, Role role, const Settings& settings, InflateRules inflate) {
  SeededEntropy entropy(1);
  BufferPool pool;
  DeflatePool deflate;
  const Resources resources{entropy, pool, deflate};
  Assembler assembler(role, settings, resources, inflate);
  Outcome outcome;
  std::size_t events = 0;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    std::string piece = bytes.substr(at, step);
    assembler.receive(std::as_writable_bytes(std::span<char>(piece)));
    while (true) {
      const auto incoming = assembler.next(TimePoint(std::chrono::hours(1)));
      FAIRLEAD_ASSERT(++events <= bytes.size() * 1200 + 2);  // progress
      FAIRLEAD_ASSERT(pool.lent_bytes() <= 3 * settings.limits.message_bytes + 4 * pool.block_bytes());
      if (!incoming) {
        outcome.text += "!" + std::string(name(incoming.error()));
        return outcome;
      }
      if (std::holds_alternative<std::monostate>(*incoming)) break;
      write_down(outcome, *incoming);
    }
    assembler.retain();
    std::memset(piece.data(), '!', piece.size());
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzzing::Input input(data, size);
  const unsigned options = input.byte();
  const std::size_t step = input.byte() % 40 + 1U;
  const Role role = (options & 1U) != 0 ? Role::server : Role::client;
  const InflateRules inflate{
      .negotiated = (options & 2U) != 0, .context_takeover = (options & 4U) != 0, .window_bits = 15};
  Settings settings;
  settings.limits.message_bytes = settings.limits.frame_bytes = 60'000;
  settings.limits.fragments_per_message = 50;
  settings.delivery = (options & 8U) != 0 ? Delivery::chunks : Delivery::messages;
  const std::string bytes = input.bytes(size);
  check_header(as_bytes(bytes), {.reader = role, .deflate = inflate.negotiated});
  const Outcome whole = read(bytes, bytes.size() + 1, role, settings, inflate);
  const Outcome split = read(bytes, step, role, settings, inflate);
  // In chunks a broken message has been handed over in part, by another cut.
  if (settings.delivery == Delivery::messages) FAIRLEAD_ASSERT(whole.text == split.text);
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// One simulated program with a WebSocket: sends what the dice say, keeps a journal of what it sent and saw.
#pragma once

#include "base/buffer.h"
#include "base/entropy.h"
#include "sim/wire.h"
#include "ws/connection.h"
#include "ws/deflate.h"
#include "ws/settings.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::sim {

using Note = std::pair<MessageKind, std::string>;

class Endpoint {
 public:
  Endpoint(ws::Role role, const ws::Settings& settings, std::optional<ws::DeflateAgreement> deflate, TimePoint now,
           std::uint64_t seed);

  // One turn of a driver's loop each.
  void receive(std::string bytes, TimePoint now, Random& random);
  void receive_end(TimePoint now);
  void flush(Wire& out, TimePoint now, Random& random);
  void wake(TimePoint now);
  void act(TimePoint now, Random& random);
  void close(TimePoint now, Random& random);

  [[nodiscard]] const ws::Connection& connection() const { return connection_; }
  [[nodiscard]] std::size_t lent_bytes() const { return pool_.lent_bytes(); }

  // The journal.
  std::vector<Note> sent;      // whole messages that were accepted
  std::vector<Note> received;  // whole messages that arrived
  std::size_t pings = 0;
  std::size_t pongs = 0;
  std::size_t chunk_problems = 0;  // pieces whose flags or kinds make no message
  bool saw_close = false;
  std::optional<Errc> failure;
  bool ended = false;  // ended its sending half

 private:
  void note_events();
  void note(const ws::Event& event);
  void note_chunk(const ws::ChunkEvent& chunk);
  void stream_some(TimePoint now, Random& random);

  ws::Settings settings_;
  SeededEntropy entropy_;
  BufferPool pool_;
  ws::DeflatePool deflate_;
  ws::Resources resources_;
  ws::Connection connection_;
  std::optional<Note> streaming_out_;
  std::optional<Note> streaming_in_;
};

}  // namespace fairlead::sim

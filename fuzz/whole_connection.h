// SPDX-License-Identifier: Apache-2.0
// A whole connection through the public core, from the first byte of the opening handshake through 101 into frames: the
// application echoes, and what it sees must be the same wherever the stream is cut, inside the head, behind it in the
// same piece, or inside a frame.
#pragma once

#include "base/assert.h"
#include "http_reading.h"

#include <fairlead/protocol.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace fairlead::fuzzing {

inline constexpr TimePoint start_of_life{std::chrono::hours(1)};
inline constexpr std::size_t whole_message_limit = 4096;

// The fuzzer's first two bytes; the rest is the stream.
struct WholeChoice {
  std::uint8_t cuts = 0;
  std::uint8_t options =
      0;  // permessage-deflate, context takeover on either side, 8 to 15 bits; the top bit is the role's

  [[nodiscard]] bool spare() const { return (options & 128U) != 0; }
};

inline protocol::Options whole_options(WholeChoice choice) {
  protocol::Options options;
  Limits& limits = options.limits;
  limits = fuzz::small_limits();
  limits.http_head_bytes = 1024;
  limits.message_bytes = limits.frame_bytes = whole_message_limit;
  limits.fragments_per_message = 8;
  limits.control_frames_per_second = limits.messages_per_second = 10;
  options.compression.enabled = (choice.options & 1U) != 0;
  const auto bits = static_cast<std::uint8_t>(8 + ((choice.options >> 3U) & 7U));
  options.compression.deflate = DeflateOptions{bits, 15, (choice.options & 2U) != 0, (choice.options & 4U) != 0};
  options.compression.from_bytes = 10;
  return options;
}

// An application that echoes. What it sees is written down; so is what leaves, for as long as nothing in that is
// random.
class Echo {
 public:
  enum class Wire : std::uint8_t { deterministic, masked };

  explicit Echo(Wire wire) : wire_(wire) {}

  void note(std::string_view what) { seen_.append(what).push_back('\n'); }

  void receive(protocol::Connection& connection, std::string_view piece) {
    std::string bytes(piece);
    connection.receive(std::as_writable_bytes(std::span<char>(bytes)), start_of_life);
    read_events(connection);
    connection.retain();
    std::memset(bytes.data(), '!', bytes.size());
  }

  void read_events(protocol::Connection& connection) {
    while (const auto event = connection.next_event()) {
      FAIRLEAD_ASSERT(!ended_);  // nothing follows the end
      std::visit([&](const auto& one) { see(connection, one); }, *event);
      take_output(connection);
    }
    take_output(connection);
  }

  // The stream ends, then silence: the connection always comes to its end.
  void finish(protocol::Connection& connection) {
    connection.receive_end(start_of_life);
    read_events(connection);
    TimePoint now = start_of_life;
    for (int wake = 0; wake < 8 && !connection.finished(); ++wake) {
      if (const auto due = connection.deadline()) now = std::max(now, *due);
      connection.on_deadline(now);
      read_events(connection);
    }
    FAIRLEAD_ASSERT(connection.finished() && connection.queued_bytes() == 0);
    note("closed " + std::to_string(connection.close_info().code));
  }

  [[nodiscard]] std::string all() && { return std::move(seen_) + "sent " + std::to_string(sent_) + "\n" + wire_bytes_; }

 private:
  void see(protocol::Connection& connection, const protocol::MessageEvent& event) {
    const MessageView& message = event.message;
    FAIRLEAD_ASSERT(message.payload.size() <= whole_message_limit);
    note((message.kind == MessageKind::text ? "text " : "binary ") + std::string(message.text()));
    (void)connection.send(message.kind, message.payload, start_of_life);
  }
  void see(protocol::Connection&, const protocol::ChunkEvent&) { FAIRLEAD_ASSERT(false); }  // messages were asked for
  void see(protocol::Connection&, const protocol::PingEvent& event) {
    note("ping " + std::string(as_text(event.payload)));
  }
  void see(protocol::Connection&, const protocol::PongEvent& event) {
    note("pong " + std::string(as_text(event.payload)));
  }
  void see(protocol::Connection&, const protocol::ClosedEvent&) {
    note("close frame");
    ended_ = true;
  }
  void see(protocol::Connection&, const protocol::FailedEvent& event) {
    note(name(event.error.code));
    ended_ = true;
  }

  void take_output(protocol::Connection& connection) {
    std::array<Bytes, 3> views;
    while (connection.output(views) != 0) {
      if (wire_ == Wire::deterministic) wire_bytes_ += as_text(views[0]);
      sent_ += views[0].size();
      connection.consume(views[0].size());
    }
  }

  Wire wire_;
  std::string seen_;
  std::string wire_bytes_;
  std::size_t sent_ = 0;
  bool ended_ = false;
};

// `live(choice, wire, feed)` goes through a life and returns what was seen; `feed` gives it the stream.
template <class Live>
int compare_cuts(const std::uint8_t* data, std::size_t size, Live live) {
  if (size < 2) return 0;
  const WholeChoice choice{data[0], data[1]};
  const std::string wire(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto whole = [](std::string_view stream, auto receive) { receive(stream); };
  const auto cut = [&](std::string_view stream, auto receive) { fuzz::in_pieces(stream, choice.cuts, receive); };
  FAIRLEAD_ASSERT(live(choice, wire, whole) == live(choice, wire, cut));
  return 0;
}

}  // namespace fairlead::fuzzing

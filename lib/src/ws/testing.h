// SPDX-License-Identifier: Apache-2.0
// Test support: one side of a WebSocket with everything that it borrows, events that own what they show, and frames
// made by hand, right or wrong.
#pragma once

#include <fairlead/bytes.h>

#include "base/buffer.h"
#include "base/entropy.h"
#include "ws/connection.h"
#include "ws/deflate.h"
#include "ws/frame.h"
#include "ws/settings.h"

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::ws::testing {

// An event that outlives the buffers.
struct Seen {
  enum class What : std::uint8_t { message, chunk, ping, pong, closed, failed };
  What what = What::closed;
  MessageKind kind = MessageKind::text;
  std::string payload;
  bool compressed = false;
  bool first = false;
  bool last = false;
  std::optional<Errc> error;

  friend bool operator==(const Seen&, const Seen&) = default;
};
std::ostream& operator<<(std::ostream& out, const Seen& seen);

[[nodiscard]] Seen seen(const Event& event);
[[nodiscard]] Seen text_message(std::string_view payload);
[[nodiscard]] Seen binary_message(std::string_view payload);
[[nodiscard]] Seen ping_of(std::string_view payload);
[[nodiscard]] Seen pong_of(std::string_view payload);
[[nodiscard]] Seen closed();
[[nodiscard]] Seen failed(Errc code);

// A frame made by hand. `masked` uses a fixed key; `declared` puts another length into the header than the payload has.
struct RawFrame {
  unsigned first_byte = 0x81;
  std::string_view payload;
  bool masked = false;
  std::optional<std::uint64_t> declared;
  int length_bytes = -1;  // 0, 2 or 8 to force an encoding
};
[[nodiscard]] std::string raw(const RawFrame& frame);
// Frames as the peer of `reader` sends them: masked for a server.
[[nodiscard]] std::string frame_for(Role reader, unsigned first_byte, std::string_view payload);
[[nodiscard]] std::string close_for(Role reader, CloseCode code, std::string_view reason = {});
[[nodiscard]] std::string from_hex(std::string_view hex);  // spaces are skipped

// Frames that were sent, parsed again and unmasked; asserts nothing about their order.
struct SentFrame {
  FrameHeader header;
  std::string payload;
};
[[nodiscard]] std::vector<SentFrame> parse_sent(Role sender, std::string_view bytes);

struct Side {
  explicit Side(Role role_of_side, Settings settings_of_side = {}, std::optional<DeflateAgreement> agreement = {},
                std::uint64_t seed = 1);

  // Feeds bytes in one piece and returns what happened.
  std::vector<Seen> receive(std::string_view bytes);
  // Feeds bytes in pieces of the given size.
  std::vector<Seen> receive_split(std::string_view bytes, std::size_t piece);
  std::vector<Seen> events();
  // Everything that is to be sent.
  std::string output();
  std::vector<SentFrame> sent() { return parse_sent(role, output()); }
  void pass(Duration time) { now += time; }

  Role role;
  Settings settings;
  SeededEntropy entropy;
  BufferPool pool;
  DeflatePool deflate;
  Resources resources;
  TimePoint now{std::chrono::hours(1)};
  Connection connection;
};

// Lets both sides talk until nothing moves; returns what each saw.
struct Exchange {
  std::vector<Seen> server;
  std::vector<Seen> client;
};
Exchange exchange(Side& server, Side& client);

}  // namespace fairlead::ws::testing

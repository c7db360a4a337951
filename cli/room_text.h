// SPDX-License-Identifier: Apache-2.0
// What may be said in the demonstration's room, and how it reads: as lines for a terminal and as JSON (subprotocol
// `room.json`) for the page. Pure functions.
#pragma once

#include <fairlead/error.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fairlead::cli {

inline constexpr std::size_t room_text_limit_characters = 2'000;  // a screen full
inline constexpr std::size_t room_name_limit_characters = 32;     // fits beside a message
inline constexpr std::string_view room_json_subprotocol = "room.json";

using MemberId = std::uint64_t;

// ── In ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
struct Say {
  std::string text;
};
struct Rename {
  std::string name;
};
struct Typing {};
using RoomCommand = std::variant<Say, Rename, Typing>;

// A line of a terminal: `/name ada`, or something said. An error's detail is a sentence for the one who sent it.
[[nodiscard]] Result<RoomCommand> parse_room_line(std::string_view line);
// {"type":"say","text":…} | {"type":"name","name":…} | {"type":"typing"}
[[nodiscard]] Result<RoomCommand> parse_room_json(std::string_view text);

// ── Out ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
struct MemberName {
  MemberId id = 0;
  std::string name;
};
struct Utterance {
  MemberId id = 0;
  std::string from;
  std::string text;
  std::int64_t at_ms = 0;  // since 1970, UTC
};

[[nodiscard]] std::string welcome_json(const MemberName& self, const std::vector<MemberName>& members,
                                       const std::vector<Utterance>& history);
[[nodiscard]] std::string message_json(const Utterance& utterance);
// `type`: "joined", "left", "typing".
[[nodiscard]] std::string member_json(std::string_view type, const MemberName& member);
[[nodiscard]] std::string renamed_json(MemberId id, std::string_view from, std::string_view to);
[[nodiscard]] std::string error_json(std::string_view reason);

}  // namespace fairlead::cli

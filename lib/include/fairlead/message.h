// SPDX-License-Identifier: Apache-2.0
// A WebSocket message: text or binary, as a view or owned.
#pragma once

#include <fairlead/bytes.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace fairlead {

// The two kinds of data that RFC 6455 5.6 knows.
enum class MessageKind : std::uint8_t { text, binary };

// A message in somebody else's buffer: valid only during the call that hands it over.
struct MessageView {
  MessageKind kind = MessageKind::text;
  Bytes payload;
  bool compressed = false;  // it crossed the wire through permessage-deflate

  [[nodiscard]] std::string_view text() const noexcept { return as_text(payload); }
};

// A message that owns its payload (a std::string holds both kinds; text is valid UTF-8).
struct Message {
  MessageKind kind = MessageKind::text;
  std::string payload;
  bool compressed = false;

  [[nodiscard]] std::string_view text() const noexcept { return payload; }
  [[nodiscard]] MessageView view() const noexcept { return {kind, as_bytes(payload), compressed}; }
};

}  // namespace fairlead

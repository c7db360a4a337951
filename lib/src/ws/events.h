// SPDX-License-Identifier: Apache-2.0
// What a WebSocket tells the one who reads it, in the order in which it happened.
#pragma once

#include <fairlead/bytes.h>
#include <fairlead/error.h>
#include <fairlead/message.h>

#include <variant>

namespace fairlead::ws {

// Views are valid until the next `receive`, `next_event`, `retain` or `on_deadline`; sending leaves them alone, so that
// what was received can be sent on, and more than once.
struct MessageEvent {
  MessageView message;
};
// A piece of a message, when the delivery is `chunks`; both flags may be true. Text pieces may end inside a character:
// the text as a whole is checked while it arrives.
struct ChunkEvent {
  MessageKind kind = MessageKind::text;
  Bytes payload;
  bool first = false;
  bool last = false;
};
struct PingEvent {  // has been answered already
  Bytes payload;
};
struct PongEvent {
  Bytes payload;
};
// The peer's close frame has arrived; ours is in the output, now or since before. No data follows.
struct ClosedEvent {};
// A rule was broken, a limit passed, or the stream ended without a close frame. Where one can still be sent, a close
// frame with the matching code (errors.h) is in the output. Nothing is read any more.
struct FailedEvent {
  Error error;
};
using Event = std::variant<MessageEvent, ChunkEvent, PingEvent, PongEvent, ClosedEvent, FailedEvent>;

}  // namespace fairlead::ws

// SPDX-License-Identifier: Apache-2.0
// What a WebSocket tells the one who reads it: the public header's events.
#pragma once

#include <fairlead/protocol.h>

namespace fairlead::ws {

using protocol::ChunkEvent;
using protocol::ClosedEvent;
using protocol::Event;
using protocol::FailedEvent;
using protocol::MessageEvent;
using protocol::PingEvent;
using protocol::PongEvent;

}  // namespace fairlead::ws

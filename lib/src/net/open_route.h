// SPDX-License-Identifier: Apache-2.0
// Starts the application on a channel that has just opened.
#pragma once

#include "net/channel.h"
#include "net/routes.h"

#include <memory>

namespace fairlead::net {

// Runs the route's coroutine with the channel, or its handlers; `leftover` is what came behind the handshake. When the
// coroutine returns the channel is closed with 1000, when it throws with 1011.
void open_route(LoopContext& context, const WebSocketRoute& route, const std::shared_ptr<Channel>& channel,
                MutableBytes leftover);

}  // namespace fairlead::net

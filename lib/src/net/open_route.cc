// SPDX-License-Identifier: Apache-2.0
#include "net/open_route.h"

#include "net/thrown.h"

#include <optional>
#include <utility>

namespace fairlead::net {
namespace {

Task<> serve(WebSocketHandler handler, std::shared_ptr<Channel> channel) {
  Connection ws(channel);
  std::optional<Thrown> thrown;
  try {
    co_await handler(ws);
  } catch (...) {
    thrown = thrown_by("a handler");
  }
  if (thrown) {
    channel->fail(*thrown);
  } else {
    static_cast<void>(ws.close(close_code::normal));
  }
}

}  // namespace

void open_route(LoopContext& context, const WebSocketRoute& route, const std::shared_ptr<Channel>& channel,
                MutableBytes leftover) {
  if (route.handler) context.spawned.start(serve(route.handler, channel));
  channel->open(leftover);
}

}  // namespace fairlead::net

// SPDX-License-Identifier: Apache-2.0
// The peer `fairlead` for the fan-out, which `fairlead echo` does not do, with the behaviour that every peer has: /echo
// answers each message as its own kind, /fanout sends each message to all connections on that path, framed once.
#include <fairlead/group.h>
#include <fairlead/server.h>

#include <cstdio>
#include <string>

#include "options.h"

namespace {

using namespace fairlead;

Limits bench_limits() {
  Limits limits;
  limits.message_bytes = limits.frame_bytes = std::size_t{16} * 1024 * 1024;
  limits.outgoing_queue_bytes = std::size_t{64} * 1024 * 1024;
  limits.messages_per_second = unlimited;
  limits.connections_per_address = unlimited;
  return limits;
}

Handlers echo() {
  return {.message = [](Connection& ws, MessageView message) { (void)ws.send(message).result(); }};
}

Handlers fanout(Group& subscribers) {
  return {.open = [&](Connection& ws) { subscribers.add(ws); },
          .message = [&](Connection&, MessageView message) { subscribers.send({message.kind, message.payload}); }};
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = bench::parse_options(argc, argv);
  Server server({.tls = Tls::files(options.cert, options.key), .limits = bench_limits(), .threads = 1});
  Group subscribers;
  RouteOptions route;
  route.compression.enabled = options.compress;
  server.websocket("/echo", echo(), route).websocket("/fanout", fanout(subscribers), route);
  const auto listening = server.listen("127.0.0.1:" + std::to_string(options.port));
  if (!listening || !server.start()) {
    std::fprintf(stderr, "%s\n", listening ? "cannot start" : to_string(listening.error()).c_str());
    return 1;
  }
  bench::announce(listening->port);
  server.wait();
}

// SPDX-License-Identifier: Apache-2.0
// Messages of any size in bounded memory: they are received in pieces as they arrive, here only to be counted.
#include <fairlead/server.h>

#include <string>

namespace {

fairlead::Task<> count(fairlead::Connection& ws) {
  std::size_t bytes = 0;
  while (auto piece = co_await ws.receive_chunk()) {
    bytes += piece->payload.size();
    if (!piece->last) continue;
    co_await ws.send(std::to_string(bytes) + " bytes");
    bytes = 0;
  }
}

}  // namespace

int main(int argc, char** argv) {
  fairlead::Limits limits;
  limits.message_bytes = limits.frame_bytes = fairlead::unlimited;  // nothing is kept, so nothing needs a limit
  fairlead::Server server({.tls = fairlead::Tls::development(), .limits = limits});
  server.websocket("/count", count, {.stream_incoming = true});
  server.run(argc > 1 ? argv[1] : "localhost:8443");
}

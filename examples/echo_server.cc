// SPDX-License-Identifier: Apache-2.0
// A WSS server that sends every message back. With an argument it listens there instead.
#include <fairlead/server.h>

int main(int argc, char** argv) {
  fairlead::Server server({.tls = fairlead::Tls::development()});
  server.websocket("/echo", [](fairlead::Connection& ws) -> fairlead::Task<> {
    while (auto message = co_await ws.receive()) co_await ws.send(*message);
  });
  server.run(argc > 1 ? argv[1] : "localhost:8443");
}

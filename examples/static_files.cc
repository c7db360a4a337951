// SPDX-License-Identifier: Apache-2.0
// Pages, an ordinary HTTP answer and a WebSocket on one port. The second argument is the folder with the pages.
#include <fairlead/server.h>

int main(int argc, char** argv) {
  fairlead::Server server({.tls = fairlead::Tls::development()});
  server.websocket("/live", [](fairlead::Connection& ws) -> fairlead::Task<> {
    while (auto message = co_await ws.receive()) co_await ws.send(*message);
  });
  server.http("/api/hello", [](const fairlead::Request& request) {
    const auto name = request.query_parameter("name").value_or("stranger");
    return fairlead::Response::text(200, "hello, " + name + "\n");
  });
  // The page may load scripts from here and open WebSockets to here, and nothing else.
  server.files(argc > 2 ? argv[2] : ".", {{"Content-Security-Policy", "default-src 'self'"}});
  server.run(argc > 1 ? argv[1] : "localhost:8443");
}

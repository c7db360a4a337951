// SPDX-License-Identifier: Apache-2.0
// A client that comes back: it subscribes anew on every connection, and waits longer after each failure, at random, so
// that a server that restarts is not overrun. Ends after as many messages as the second argument says.
#include <fairlead/client.h>

#include <cstdlib>
#include <iostream>

int main(int argc, char** argv) {
  const std::string url = argc > 1 ? argv[1] : "wss://localhost:8443/echo";
  int wanted = argc > 2 ? std::atoi(argv[2]) : 3;

  const auto session = [&wanted](fairlead::Connection& ws) -> fairlead::Task<bool> {
    std::cout << "connected" << std::endl;
    co_await ws.send("subscribe");
    while (auto message = co_await ws.receive()) {
      std::cout << message->text() << std::endl;
      if (--wanted == 0) co_return false;  // enough
    }
    co_return true;  // closed by the server or broken: again
  };

  bool failed = false;
  const auto stay_connected = [&]() -> fairlead::Task<> {
    const auto ended = co_await fairlead::connect_persistently(url, session);
    failed = !ended;
    if (failed) std::cerr << to_string(ended.error()) << '\n';
  };
  fairlead::run(stay_connected);
  return failed ? 1 : 0;
}

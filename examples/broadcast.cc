// SPDX-License-Identifier: Apache-2.0
// One message to many, from another thread: a group frames it once and hands it out on the loops of its members.
#include <fairlead/group.h>
#include <fairlead/server.h>

#include <iostream>
#include <thread>

int main(int argc, char** argv) {
  fairlead::Group everybody;

  fairlead::Handlers handlers;
  handlers.open = [&](fairlead::Connection& ws) { everybody.add(ws); };  // it leaves by itself when it closes
  fairlead::Server server({.tls = fairlead::Tls::development()});
  server.websocket("/clock", handlers);
  const auto listening = server.listen(argc > 1 ? argv[1] : "localhost:8443");
  if (!listening || !server.start()) return std::cerr << "cannot listen\n", 1;

  const std::jthread clock([&](const std::stop_token& stop) {
    for (int tick = 1; !stop.stop_requested(); ++tick) {
      everybody.send("tick " + std::to_string(tick));
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  });
  server.wait();
}

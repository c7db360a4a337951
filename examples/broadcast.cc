// SPDX-License-Identifier: Apache-2.0
// One message to many, from another thread: the frame is built once, and a handle may be used anywhere, at any time.
#include <fairlead/server.h>

#include <iostream>
#include <mutex>
#include <thread>

int main(int argc, char** argv) {
  std::mutex mutex;
  std::vector<fairlead::ConnectionHandle> everybody;

  fairlead::Handlers handlers;
  handlers.open = [&](fairlead::Connection& ws) {
    const std::lock_guard lock(mutex);
    everybody.push_back(ws.handle());
  };
  fairlead::Server server({.tls = fairlead::Tls::development()});
  server.websocket("/clock", handlers);
  const auto listening = server.listen(argc > 1 ? argv[1] : "localhost:8443");
  if (!listening || !server.start()) return std::cerr << "cannot listen\n", 1;

  const std::jthread clock([&](const std::stop_token& stop) {
    for (int tick = 1; !stop.stop_requested(); ++tick) {
      const auto message = fairlead::SharedMessage::text("tick " + std::to_string(tick));
      {
        const std::lock_guard lock(mutex);
        std::erase_if(everybody, [&](auto& one) { return one.send(message) == fairlead::SendResult::closed; });
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  });
  server.wait();
}

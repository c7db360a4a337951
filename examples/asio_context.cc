// SPDX-License-Identifier: Apache-2.0
// A server on the program's own io_context, beside its timers, sockets and signals.
#include <fairlead/asio.h>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <iostream>

int main(int argc, char** argv) {
  boost::asio::io_context context(1);
  fairlead::Server server({.tls = fairlead::Tls::development()});
  int messages = 0;  // no lock: everything runs on the one thread of `context`
  fairlead::Handlers handlers;
  handlers.message = [&](fairlead::Connection& ws, fairlead::MessageView message) {
    ++messages;
    ws.send(message);
  };
  server.websocket("/echo", handlers);
  const auto listening = server.listen(argc > 1 ? argv[1] : "localhost:8443");
  if (!listening || !start_on(context, server)) return std::cerr << "cannot listen\n", 1;

  boost::asio::steady_timer timer(context);
  std::function<void()> report = [&] {
    timer.expires_after(std::chrono::milliseconds(200));
    timer.async_wait([&](const boost::system::error_code& error) {
      if (error) return;
      std::cout << messages << " messages so far" << std::endl;
      report();
    });
  };
  report();
  boost::asio::signal_set signals(context, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code&, int) {
    timer.cancel();
    server.stop();
  });
  context.run();
}

// SPDX-License-Identifier: Apache-2.0
// The handler style: plain calls on the connection's loop, the fastest path. Sends every text back in capitals.
#include <fairlead/server.h>

#include <algorithm>
#include <cctype>
#include <iostream>

int main(int argc, char** argv) {
  fairlead::Handlers handlers;
  handlers.open = [](fairlead::Connection& ws) { ws.send("say something"); };
  handlers.message = [](fairlead::Connection& ws, fairlead::MessageView message) {
    std::string text(message.text());  // the view is valid during the call only
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (ws.send(text) == fairlead::SendResult::over_limit) std::cerr << "a slow reader missed an answer\n";
  };
  handlers.close = [](fairlead::Connection&, const fairlead::CloseInfo& close) {
    std::cerr << "closed with " << close.code << (close.clean ? ", clean\n" : ", broken\n");
  };

  fairlead::Server server({.tls = fairlead::Tls::development()});
  server.websocket("/shout", handlers);
  server.run(argc > 1 ? argv[1] : "localhost:8443");
}

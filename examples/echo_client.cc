// SPDX-License-Identifier: Apache-2.0
// Says hello to a server and prints its answer. With an argument it connects there instead.
#include <fairlead/blocking.h>

#include <iostream>

int main(int argc, char** argv) {
  auto ws = fairlead::blocking::Client::connect(argc > 1 ? argv[1] : "wss://localhost:8443/echo");
  if (!ws) return std::cerr << to_string(ws.error()) << '\n', 1;
  ws->send("hello");
  if (auto answer = ws->receive()) std::cout << answer->text() << '\n';
}

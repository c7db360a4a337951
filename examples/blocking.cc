// SPDX-License-Identifier: Apache-2.0
// A script without coroutines or callbacks: sends each line of its input and waits for the answer, but not for ever.
#include <fairlead/blocking.h>

#include <iostream>
#include <string>

int main(int argc, char** argv) {
  auto ws = fairlead::blocking::Client::connect(argc > 1 ? argv[1] : "wss://localhost:8443/echo");
  if (!ws) return std::cerr << to_string(ws.error()) << '\n', 1;

  for (std::string line; std::getline(std::cin, line);) {
    if (ws->send(line) == fairlead::SendResult::closed) break;
    const auto answer = ws->receive(std::chrono::seconds(5));
    if (!answer) return std::cerr << to_string(answer.error()) << '\n', 1;
    std::cout << answer->text() << '\n';
  }
  const fairlead::CloseInfo close = ws->close();
  return close.clean ? 0 : 1;
}

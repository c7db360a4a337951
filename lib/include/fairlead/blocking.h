// SPDX-License-Identifier: Apache-2.0
// A WSS client without coroutines or callbacks, for scripts and tests: each call waits until it is done.
//
//   auto ws = fairlead::blocking::Client::connect("wss://localhost:8443/echo");
//   if (ws) { ws->send("hello"); auto answer = ws->receive(std::chrono::seconds(5)); }
#pragma once

#include <fairlead/client.h>

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::blocking {

// Owns a thread with a loop, so pings are answered while the caller does something else. All calls are thread-safe; two
// threads may send and receive at the same time.
class Client {
 public:
  [[nodiscard]] static std::expected<Client, ConnectError> connect(std::string url, ClientOptions options = {});
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();  // closes with 1001 if it is open, waits for the close handshake

  // Waits while the outgoing queue is more than half full: then a message of any size is taken.
  SendResult send(std::string_view text);
  SendResult send(const char* text) { return send(std::string_view(text)); }
  SendResult send(Bytes binary);
  // The next message; `closed` at the end, `timed_out` when none came in time.
  [[nodiscard]] Result<Message> receive(std::optional<Duration> timeout = std::nullopt);
  // The whole close handshake. Instead of a code that may not be sent, or a reason that is no UTF-8 or over 123 bytes,
  // it sends 1000 and no reason. What the server still sends can be received as long as no more than 64 messages wait;
  // from the first one past that on it is dropped.
  CloseInfo close(CloseCode code = close_code::normal, std::string_view reason = {});
  [[nodiscard]] CloseInfo close_info() const;
  [[nodiscard]] std::string subprotocol() const;

 private:
  struct State;
  explicit Client(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace fairlead::blocking

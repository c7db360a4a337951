// SPDX-License-Identifier: Apache-2.0
// What is configured about the ways in: `websocket`, `http_stream`, `sse`, `uni_*`, `client.allowed_origins`.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace fairlead::server {

struct TransportSettings {
  struct Endpoint {
    bool disabled = false;
    std::string handler_prefix;
    std::size_t size_limit = 0;  // of a request or message; 0: `message_size_limit`
  };
  Endpoint websocket{false, "/connection/websocket"};
  Endpoint http_stream{true, "/connection/http_stream"};
  Endpoint sse{true, "/connection/sse"};
  Endpoint emulation{false, "/emulation"};  // served when http_stream or sse is
  Endpoint uni_websocket{true, "/connection/uni_websocket"};
  Endpoint uni_sse{true, "/connection/uni_sse"};
  Endpoint uni_http_stream{true, "/connection/uni_http_stream"};
  std::size_t message_size_limit = 64 * 1024;
  [[nodiscard]] std::size_t limit_of(const Endpoint& endpoint) const noexcept {
    return endpoint.size_limit > 0 ? endpoint.size_limit : message_size_limit;
  }
  bool compression = false;
  std::vector<std::string> allowed_origins;  // beyond the page's own; globs, "*" for all
};

}  // namespace fairlead::server

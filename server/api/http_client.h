// SPDX-License-Identifier: Apache-2.0
// Asks other people's HTTP servers: the user's backend, an identity provider's key set. libcurl's multi interface on
// one thread of its own: resolving names and TLS with servers that are not ours can stall, and must not stall a loop.
//
// What it never does: follow a redirect, take a proxy from the environment, speak anything but http and https, accept a
// certificate that does not verify, or keep more than `response_bytes` of an answer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::server {

struct HttpExchange {
  std::string url;
  std::optional<std::string> post;  // the body; nothing: GET
  std::vector<std::pair<std::string, std::string>> headers;
  // Asking twice does no harm. Otherwise it is sent once at most: not even again on a new connection when a kept one
  // turns out to be dead after the body has left.
  bool repeatable = true;
  std::chrono::milliseconds timeout{1'000};  // for all of it
  std::size_t response_bytes = 1024 * 1024;
  std::string tls_ca_file;  // instead of the system's
  std::string pool;         // exchanges of one name share the bound on connections
  std::size_t connections = 32;
};

enum class HttpFailure : std::uint8_t {
  resolve,    // the host's name has no address: nothing was sent
  connect,    // no connection came about: nothing was sent
  timed_out,  // it may have been received or not
  broken,     // the connection ended before the answer did
  too_large,
  certificate,  // the server's does not verify: nothing was sent
  tls,          // the handshake failed: nothing was sent
  invalid,      // the URL cannot be used
  stopped,
};

struct HttpAnswer {
  int status = 0;  // 0: there is none, `failure` says why
  std::string body;
  HttpFailure failure = HttpFailure::broken;
  std::string sentence;  // why, without the URL's query
  // The whole failure happened before a byte of the request left.
  [[nodiscard]] bool surely_not_sent() const noexcept {
    return status == 0 && failure != HttpFailure::timed_out && failure != HttpFailure::broken &&
           failure != HttpFailure::too_large;
  }
};

struct HttpClientStats {
  std::uint64_t exchanges = 0, failures = 0, refused = 0;  // refused: the queue was full
  std::size_t in_flight = 0, queued = 0;
};

// Thread-safe.
class HttpClient {
 public:
  // Waiting for a connection of a pool, at most; past it an exchange fails at once.
  static constexpr std::size_t queue_limit = 1'024;

  using Done = std::function<void(HttpAnswer)>;

  HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient();  // stops

  // `done` is called exactly once, on the client's thread (within the call when it is refused).
  void send(HttpExchange exchange, Done done);
  // `call` on the client's thread once `delay` has passed; never, when it stops before.
  void after(std::chrono::milliseconds delay, std::function<void()> call);
  // What is open is answered with `stopped`; afterwards nothing is called any more. Not on the client's thread.
  void stop();
  [[nodiscard]] HttpClientStats stats() const;

 private:
  struct Core;
  std::unique_ptr<Core> core_;
};

}  // namespace fairlead::server

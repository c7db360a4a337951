// SPDX-License-Identifier: Apache-2.0
// Asks other people's HTTP servers: the user's backend, an identity provider's key set. libcurl's multi interface on a
// loop, which watches its sockets and keeps its times; names are resolved by threads of libcurl. One loop of a server
// is enough, its first: there all exchanges share the connections that are kept and the bounds of the pools, which else
// each loop would have for itself.
//
// What it never does: follow a redirect, take a proxy from the environment, speak anything but http and https, accept a
// certificate that does not verify, or keep more than `response_bytes` of an answer.
//
// It shares the loop with clients, and keeps none of them waiting for long. Its steps (to begin an exchange, to go on
// with one whose socket is ready) stand in line, in the order in which they became due, and begun exchanges before new
// ones. A turn of the loop gives them `share`, and one step at least. A step is at most what TLS computes for a new
// connection, 0.4 ms as a rule and 1 ms at worst, or what has come of a long answer. The first one in a day that trusts
// the system's authorities takes 20 ms, to read them. A `tls_ca_file` is read for each new connection: with a few
// authorities that is nothing, with all of the system's as long as that.
#pragma once

#include <fairlead/loop.h>

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
  // For all of it, also while it waits for a connection of its pool. Whoever is late because the loop was busy is late.
  std::chrono::milliseconds timeout{1'000};
  std::size_t response_bytes = 1024 * 1024;
  std::string tls_ca_file;  // instead of the system's
  std::string pool;         // exchanges of one name share the bound on connections
  std::size_t connections = 32;
};

enum class HttpFailure : std::uint8_t {
  resolve,    // the host's name has no address: nothing was sent
  connect,    // no connection came about in time: nothing was sent
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

// Thread-safe, but for the constructor, `run_on` and the destructor.
class HttpClient {
 public:
  // Of a turn of its loop, for all exchanges: a dozen steps on connections that are kept, one of TLS.
  static constexpr std::chrono::microseconds share{200};
  // Waiting for a connection of one pool or for the loop, at most; past it an exchange fails at once.
  static constexpr std::size_t queue_limit = 1'024;

  using Done = std::function<void(HttpAnswer)>;

  HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient();  // stops

  // From now on it runs on `loop`; once. What has been asked before has waited, and its time has run. Throws
  // std::runtime_error when this libcurl would resolve names on the loop.
  void run_on(LoopHandle loop);

  // `done` is called exactly once, on the loop (within the call when it is refused). It keeps the loop's clients
  // waiting: what takes long belongs elsewhere.
  void send(HttpExchange exchange, Done done);
  // `call` on the loop once `delay` has passed; never, when it stops before.
  void after(std::chrono::milliseconds delay, std::function<void()> call);
  // What is open is answered with `stopped`, within this call; afterwards nothing is called any more. Waits for what is
  // being called at the moment, so not from inside of that. The loop may run, have ended, or never have come.
  void stop();
  [[nodiscard]] HttpClientStats stats() const;

 private:
  struct Core;
  std::shared_ptr<Core> core_;
};

// One exchange at a time, on the calling thread, for programs without a loop. Connections are kept for the next one.
class BlockingHttpClient {
 public:
  BlockingHttpClient();
  BlockingHttpClient(const BlockingHttpClient&) = delete;
  BlockingHttpClient& operator=(const BlockingHttpClient&) = delete;
  ~BlockingHttpClient();

  [[nodiscard]] HttpAnswer ask(HttpExchange exchange);

 private:
  void* easy_;  // a CURL, which is no more than that
};

}  // namespace fairlead::server

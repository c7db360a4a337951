// SPDX-License-Identifier: Apache-2.0
// A WSS client.
//
//   fairlead::run([]() -> fairlead::Task<> {
//     auto ws = co_await fairlead::connect("wss://localhost:8443/echo");
//     if (!ws) co_return;
//     co_await ws->send("hello");
//     if (auto answer = co_await ws->receive()) std::cout << answer->payload << '\n';
//   });
#pragma once

#include <fairlead/compression.h>
#include <fairlead/connection.h>
#include <fairlead/error.h>
#include <fairlead/http.h>
#include <fairlead/limits.h>
#include <fairlead/log.h>
#include <fairlead/task.h>
#include <fairlead/tls.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead {

// How long each step of a connection attempt may take. `Limits` covers what comes afterwards.
struct ConnectTimes {
  std::chrono::milliseconds dns{5'000};
  std::chrono::milliseconds tcp{10'000};        // for all addresses together
  std::chrono::milliseconds next_address{250};  // RFC 8305 5: head start before the next address is tried too
  std::chrono::milliseconds tls{10'000};
  std::chrono::milliseconds handshake{10'000};  // request sent to 101 received
  std::chrono::milliseconds total{30'000};
};

struct ClientOptions {
  TlsClient tls{};                          // verification is on; see tls.h
  Limits limits = client_limits();          // of what the server may do to us
  std::vector<std::string> subprotocols{};  // offered, in order of preference
  std::string origin{};                     // sent only when set: browsers send it, programs need not
  Headers headers{};                        // added to the request: Authorization, Cookie, …
  Compression compression{};                // offered when enabled
  bool stream_incoming = false;             // use receive_chunk()
  // Each message begins a TLS record of its own, as the messages of most other clients do, while the socket takes it at
  // once. By default what one turn of the loop sends shares records, which costs both ends less. For measuring what a
  // server does for others' clients.
  bool record_per_message = false;
  ConnectTimes times{};
  // Numeric: connect from it. Addresses of the other family are left out; when the host has no other, the error
  // (connect_failed) says so. Not for `unix_path`.
  std::optional<std::string> local_address{};
  std::string unix_path{};  // connect there instead of the URL's host (which still names the certificate)
  // ws:// sends everything in the clear; it is refused unless this says so.
  bool dangerously_allow_cleartext = false;
  LogSink log{};
};

// How an attempt failed, beyond the error: the server's answer when it gave one.
struct ConnectError : Error {
  int status = 0;                                     // 0: no HTTP answer came
  std::optional<std::chrono::seconds> retry_after{};  // from a 429 or 503
  std::string location{};                             // from a redirection (which is not followed: RFC 6455 4.1)
};

// Resolves, connects (happy eyeballs), secures, opens. Inside a task.
//
// With g++ 12 give the options a name: it destroys a temporary aggregate in a co_await expression twice.
//   ClientOptions options{.subprotocols = {"chat"}};
//   auto ws = co_await connect(url, options);
[[nodiscard]] Task<std::expected<Connection, ConnectError>> connect(std::string url, ClientOptions options,
                                                                    std::stop_token stop = {});
[[nodiscard]] Task<std::expected<Connection, ConnectError>> connect(std::string url);
// The handler style: `handlers.open` is called when it is open, `failed` when it never opens. Inside a task or handler.
void connect(std::string url, Handlers handlers, ClientOptions options = {},
             std::function<void(const ConnectError&)> failed = {});

// ── Reconnecting ────────────────────────────────────────────────────────────────────────────────────────────────────
struct ReconnectOptions {
  std::chrono::milliseconds first_delay{500};
  std::chrono::milliseconds longest_delay{30'000};
  std::chrono::milliseconds restart_delay{5'000};  // after 1012 and 1013: at least up to this, spread evenly
  unsigned attempts = 0;                           // in a row without success; 0: for ever
  // Open for so long counts as a success: a server that accepts and closes at once is asked less and less often, too.
  std::chrono::milliseconds steady_after{5'000};
  // Asked after every end; false gives up. Default: goes on, except after a close by the server with 1000 (normal),
  // 1008 (policy) or 4000–4999 (the application said so), statuses 300–499 other than 408, 425 and 429, and a rejected
  // certificate.
  std::function<bool(const ConnectError*, const CloseInfo*)> should_retry{};
};

// Keeps a connection to `url` open until `session` returns false, or it gives up. `session` is called for each new
// connection: it subscribes again, receives until the connection closes, and returns whether to go on; one that is
// still open then is closed (1001). `stop` calls everything off but a running `session` (`cancelled`). Waits between
// attempts are drawn evenly from [0, min(longest, first · 2^n)] ("full jitter"), never shorter than a Retry-After. The
// result is the error that ended it, or nothing when `session` returned false.
[[nodiscard]] Task<std::expected<void, ConnectError>> connect_persistently(
    std::string url, std::function<Task<bool>(Connection&)> session, ClientOptions options, ReconnectOptions reconnect,
    std::stop_token stop = {});
[[nodiscard]] Task<std::expected<void, ConnectError>> connect_persistently(
    std::string url, std::function<Task<bool>(Connection&)> session, ClientOptions options);
[[nodiscard]] Task<std::expected<void, ConnectError>> connect_persistently(
    std::string url, std::function<Task<bool>(Connection&)> session);

// Draws the wait before attempt `n` (0 for the first retry); pure, for tests and for other clients' loops.
[[nodiscard]] std::chrono::milliseconds reconnect_delay(const ReconnectOptions& options, unsigned n, bool restart,
                                                        std::optional<std::chrono::seconds> retry_after,
                                                        double random_0_to_1);

}  // namespace fairlead

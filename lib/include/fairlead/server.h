// SPDX-License-Identifier: Apache-2.0
// A WSS server: one port for WebSockets, ordinary HTTP/1.1 requests and static files, one loop per core.
//
//   fairlead::Server server({.tls = fairlead::Tls::files("cert.pem", "key.pem")});
//   server.websocket("/echo", [](fairlead::Connection& ws) -> fairlead::Task<> {
//     while (auto message = co_await ws.receive()) co_await ws.send(*message);
//   });
//   server.run("0.0.0.0:8443");
#pragma once

#include <fairlead/compression.h>
#include <fairlead/connection.h>
#include <fairlead/error.h>
#include <fairlead/http.h>
#include <fairlead/limits.h>
#include <fairlead/log.h>
#include <fairlead/loop.h>
#include <fairlead/origin.h>
#include <fairlead/task.h>
#include <fairlead/tls.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead {

namespace net {
class ServerCore;
}

// The application's answer to an opening handshake, given before 101.
struct Decision {
  // Accept; `subprotocol` must be one that the client offered, or empty. Header fields are added to the 101.
  [[nodiscard]] static Decision accept(std::string subprotocol = {}, Headers headers = {});
  // Refuse with an HTTP response: 401, 403, 429 with Retry-After, 503, a redirection…
  [[nodiscard]] static Decision refuse(Response response);
  [[nodiscard]] static Decision refuse(int status, std::string_view text = {});

  bool accepted = true;
  std::string subprotocol;
  Headers headers;
  Response response;
  std::any data;  // becomes Connection::data()
};

struct RouteOptions {
  // Subprotocols in the server's order of preference; the first that the client offers too is chosen. A client that
  // offers none, or none of these, gets none (RFC 6455 4.2.2) unless `subprotocol_required`, then 400.
  std::vector<std::string> subprotocols{};
  bool subprotocol_required = false;
  // Sees the request (path, query, header fields, peer, client certificate) and decides. The coroutine form may wait
  // for a database; `Limits::accept_time` bounds it. Without either everybody whose Origin is allowed is accepted. An
  // exception that leaves it is logged and counted (Errc::system) and refuses with 500.
  std::function<Decision(const Request&)> accept{};
  std::function<Task<Decision>(const Request&)> accept_async{};
  std::optional<OriginPolicy> origin{};  // instead of the server's
  std::optional<Limits> limits{};        // instead of the server's, where they concern a connection
  Compression compression{};
  bool stream_incoming = false;  // coroutine handlers: use receive_chunk() instead of receive()
};

// An ordinary request's answer, whole or as a stream (Response::stream). Runs on the loop: it must not block. An
// exception that leaves it, of whatever type, is logged and counted (Errc::system) and becomes a 500.
using HttpHandler = std::function<Response(const Request&)>;
using AsyncHttpHandler = std::function<Task<Response>(const Request&)>;
// An exception that leaves it closes the connection with 1011.
using WebSocketHandler = std::function<Task<>(Connection&)>;

struct HttpRouteOptions {
  std::optional<std::size_t> body_bytes{};            // instead of Limits::http_body_bytes; 413 past it
  std::optional<std::size_t> outgoing_queue_bytes{};  // of streamed answers, instead of Limits::outgoing_queue_bytes
};

struct ServerOptions {
  Tls tls{};
  Limits limits{};
  OriginPolicy origin{};  // default: the page's own origin, or no Origin at all
  unsigned threads = 0;   // loops; 0: one per core
  SystemCalls system_calls = SystemCalls::automatic;
  LogSink log{};
  // Lines below it are left out. `debug` adds two for each WebSocket: when it opens (peer, path without its query,
  // subprotocol, version of TLS), and when it ends (both close codes, seconds, bytes of its frames).
  LogLevel log_from = LogLevel::info;
  // An exception of the application is logged by its type. With this also by what it says (`what()`, 200 bytes), which
  // may be anything: a payload, a token. Connection::error() has it in any case.
  bool dangerously_log_exceptions = false;
  // Called once on each loop's thread (index 0, 1, …), before that loop accepts and before it runs what is posted to
  // it: the place to make per-loop state. What it makes must outlive the server, whose last connections end in ~Server
  // at the latest.
  std::function<void(LoopHandle loop, unsigned index)> loop_started{};
};

// What a listener is bound to.
struct Listening {
  std::string address;  // "127.0.0.1", "::", or a path for UNIX sockets
  std::uint16_t port = 0;
  bool secure = true;
  [[nodiscard]] std::string url() const;  // "wss://127.0.0.1:8443/"
};

// How a drain went.
struct DrainReport {
  std::size_t connections = 0;   // open when it began
  std::size_t closed_clean = 0;  // with the whole close handshake
  std::size_t cut = 0;           // still open at the deadline, ended without it
  Duration took{};
};

// Counters since the start, summed over loops. `failures` counts by Errc (index with static_cast).
struct ServerStats {
  std::uint64_t accepted = 0, refused_at_accept = 0;
  std::uint64_t tls_handshakes = 0, tls_resumed = 0, tls_failed = 0;
  std::uint64_t http_requests = 0, upgrades = 0, upgrades_refused = 0;
  std::uint64_t messages_in = 0, messages_out = 0, bytes_in = 0, bytes_out = 0;
  // Messages and pieces of streamed answers that were left out by drop_newest and drop_oldest, and messages that waited
  // for a streamed one which never ended.
  std::uint64_t messages_dropped = 0;
  std::uint64_t certificate_reloads = 0, certificate_reload_failures = 0;
  std::size_t connections = 0, websockets = 0;  // now
  // What the memory budget is compared with, now (Limits::memory_budget_bytes): buffers that are lent to connections,
  // all that zlib has taken, compressors that wait for their next use included, and an estimate of OpenSSL's objects.
  // Each loop says it anew where it has changed by 64 KiB.
  std::size_t buffer_bytes = 0;
  std::array<std::uint64_t, 256> failures{};
  [[nodiscard]] std::uint64_t failed(Errc code) const { return failures.at(static_cast<std::size_t>(code)); }
};

// Set it up (routes first), listen, start; all calls from the thread that made it unless said otherwise.
class Server {
 public:
  explicit Server(ServerOptions options);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();  // stops at once: use `drain` before for a gentle end

  // ── Routes. A path is exact, or a prefix when it ends in "/*". The longest match wins. ───────────────────────────
  Server& websocket(std::string path, WebSocketHandler handler, RouteOptions options = {});
  Server& websocket(std::string path, Handlers handlers, RouteOptions options = {});
  Server& http(std::string path, HttpHandler handler, HttpRouteOptions options = {});
  Server& http_async(std::string path, AsyncHttpHandler handler, HttpRouteOptions options = {});
  // GET and HEAD of the files below `directory`, for every path that no other route takes.
  Server& files(const std::string& directory, Headers extra_headers = {});

  // ── Running ───────────────────────────────────────────────────────────────────────────────────────────────────────
  // "HOST:PORT" ("[::1]:8443", "localhost:0" picks a port, ":8443" is every address) or "unix:PATH".
  Result<Listening> listen(std::string_view where);
  // Cleartext, for a TLS-terminating proxy on the same machine and for tests. Everything can be read and changed on its
  // way, so it is refused for an address that is not loopback unless `anywhere` says so.
  Result<Listening> dangerously_listen_without_tls(std::string_view where, bool anywhere = false);
  // A socket that listens already, such as one that a service manager handed over (LISTEN_FDS: descriptors from 3 on).
  // The server takes it over, also when this fails. A UNIX socket's path is left in place at the end.
  Result<Listening> listen_descriptor(int descriptor);
  // The same in cleartext, with the same restriction as `dangerously_listen_without_tls`.
  Result<Listening> dangerously_listen_descriptor_without_tls(int descriptor, bool anywhere = false);
  Result<void> start();  // the loops begin; returns at once
  void wait();           // until `stop` or the end of a drain
  // Thread-safe: ends everything now. Each loop ends its connections, whose handlers are told, behind the turn that it
  // is in; `wait` returns when they have.
  void stop();
  // One for each loop, in the order of their index, once started; also on the caller's io_context (fairlead/asio.h).
  [[nodiscard]] std::vector<LoopHandle> loops() const;
  // listen, start, wait; SIGINT and SIGTERM drain over a second. Throws std::runtime_error when it cannot listen.
  void run(std::string_view where);

  // Stops accepting, closes every WebSocket with `code` (1001, or 1012 when the service comes back) spread over
  // `window` so that clients do not come back in one wave, and waits until `window` + `Limits::close_time`.
  // Thread-safe, blocks; not on a loop's thread.
  DrainReport drain(Duration window, CloseCode code = close_code::going_away);

  // Reads the certificate files again and, if the new ones are valid, uses them for new handshakes. Otherwise the old
  // ones stay and the error says why. Open connections are not touched. Counted, and not logged: whoever calls knows
  // best why. (What Tls::watch_interval finds is logged.) Thread-safe.
  Result<void> reload_certificates();
  // The same with other certificates. Thread-safe.
  Result<void> replace_tls(Tls tls);

  [[nodiscard]] ServerStats stats() const;  // thread-safe
  // Calls `visit` on each loop's thread for each open WebSocket of the route ("" for all). Thread-safe, asynchronous.
  // An exception that leaves it closes that connection with 1011.
  void for_each(std::string_view path, std::function<void(Connection&)> visit);

 private:
  friend class net::ServerCore;
  std::unique_ptr<net::ServerCore> core_;
};

}  // namespace fairlead

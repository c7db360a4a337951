// SPDX-License-Identifier: Apache-2.0
// `fairlead echo`: answers every message with itself. What measurements and conformance tests talk to, and the first
// thing to point an own client at.
#include <fairlead/server.h>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "serving.h"
#include "terminal.h"

namespace fairlead::cli {
namespace {

struct EchoOptions {
  ServingOptions serving;
  Limits limits;
  Compression compression;
  std::string client_ca;
  std::string profile = "intermediate";
  std::vector<std::string> origins;
  std::vector<std::string> hosts;
  std::vector<std::string> subprotocols;
  bool any_origin = false;
  bool client_optional = false;
  bool chunks = false;
  double idle_seconds = 60;
};

// Whoever measures an echo wants to be slowed down by nothing but the work: many answers may wait.
constexpr std::size_t echo_queue_bytes = std::size_t{16} * 1024 * 1024;

Limits limits_for_echo() {
  Limits limits;
  limits.messages_per_second = unlimited;
  limits.outgoing_queue_bytes = echo_queue_bytes;
  return limits;
}

void add_limits(Verb verb, EchoOptions& options) {
  Limits& limits = options.limits;
  const auto count = [&](const char* name, std::size_t& value, const char* text) {
    add_bytes(verb, name, value, text).type_name("N").group("Limits");
  };
  add_bytes(verb, "--max-message", limits.message_bytes, "Longest message, inflated").group("Limits");
  add_bytes(verb, "--queue-bytes", limits.outgoing_queue_bytes, "Answers that may wait for a slow reader")
      .group("Limits");
  count("--max-fragments", limits.fragments_per_message, "Frames of one message");
  count("--messages-per-second", limits.messages_per_second, "Messages of one connection");
  count("--control-frames-per-second", limits.control_frames_per_second, "Pings and pongs of one connection");
  count("--max-connections", limits.connections, "Connections in all");
  count("--max-connections-per-address", limits.connections_per_address, "Connections of one address");
  add_seconds(verb, "--idle", options.idle_seconds, "Close a connection that is silent for so long").group("Limits");
}

// An entry that can match nobody is a slip of the hand that nobody would notice.
WordCheck entry(bool (*valid)(std::string_view), const char* example) {
  return [valid, example](const std::string& text) {
    return valid(text) ? std::string() : fmt::format("'{}' is not of the form {}", text, example);
  };
}

void add_access(Verb verb, EchoOptions& options) {
  verb.option("--allow-origin", options.origins, "Let pages of this origin in, besides our own (https://example.org)")
      .type_name("ORIGIN")
      .check(entry(is_origin, "https://example.org or https://example.org:8443, without a path"))
      .group("Access");
  verb.flag("--allow-any-origin", options.any_origin, "Let every page on the web in").group("Access");
  verb.option("--allow-host", options.hosts,
              "Answer only requests for this host, pages and WebSockets alike: a guard against DNS rebinding")
      .type_name("HOST")
      .check(entry(is_host, "example.org or localhost:8443"))
      .group("Access");
  verb.option("--subprotocol", options.subprotocols, "Speak this subprotocol, best first")
      .type_name("NAME")
      .group("Access");
}

void add_tls(Verb verb, EchoOptions& options) {
  const Option ca = verb.option("--client-ca", options.client_ca, "Require a client certificate of this issuer");
  ca.type_name("FILE").group("TLS");
  verb.flag("--client-optional", options.client_optional, "Let clients without a certificate in too")
      .needs(ca)
      .group("TLS");
  verb.option("--tls-profile", options.profile, "TLS 1.2 and 1.3, or 1.3 alone")
      .type_name("intermediate|modern")
      .default_str(options.profile)
      .one_of({"intermediate", "modern"})
      .group("TLS");
  verb.flag("--cleartext", options.serving.cleartext,
            "Speak ws:// without TLS; on loopback only, for tests and proxies")
      .group("TLS");
}

void add_compression(Verb verb, EchoOptions& options) {
  Compression& compression = options.compression;
  const Option on = verb.flag("--compress", compression.enabled, "Agree to permessage-deflate");
  on.group("Compression");
  const auto take_over = [&compression] { compression.deflate = DeflateOptions{}; };
  verb.flag("--context-takeover", take_over, "Keep the window from message to message").needs(on).group("Compression");
  add_bytes(verb, "--compress-from", compression.from_bytes, "Send shorter messages as they are")
      .needs(on)
      .group("Compression");
  verb.option("--compress-level", compression.level, "zlib's level")
      .type_name("1-9")
      .default_str("1")
      .range(1, 9)
      .needs(on)
      .group("Compression");
}

ServerOptions server_options(const EchoOptions& options) {
  ServerOptions server;
  server.tls = tls_of(options.serving);
  server.tls.profile = options.profile == "modern" ? TlsProfile::modern : TlsProfile::intermediate;
  if (!options.client_ca.empty()) {
    server.tls.client_ca = PemSource::from_file(options.client_ca);
    server.tls.client_certificates =
        options.client_optional ? ClientCertificates::request : ClientCertificates::required;
  }
  server.limits = options.limits;
  server.limits.frame_bytes = options.limits.message_bytes;
  // In pieces an answer waits by not reading on, so the queue need not be long.
  const bool short_queue = options.chunks && options.limits.outgoing_queue_bytes == echo_queue_bytes;
  if (short_queue) server.limits.outgoing_queue_bytes = Limits{}.outgoing_queue_bytes;
  server.limits.idle_time = milliseconds(options.idle_seconds);
  server.origin.allowed = options.origins;
  server.origin.dangerously_allow_any_origin = options.any_origin;
  server.origin.hosts = options.hosts;
  server.threads = options.serving.threads;
  server.system_calls = options.serving.system_calls;
  server.log = log_of(options.serving);
  server.log_from = log_from(options.serving);
  return server;
}

// A piece out for each piece in. Waiting for room slows the reading down to what the peer takes, so memory stays flat
// for a message of any size. A message with a hole in it is no echo: without a piece there is no connection either.
Task<> echo_pieces(Connection& ws) {
  while (true) {
    const Result<Chunk> piece = co_await ws.receive_chunk();
    if (!piece) co_return;
    const auto sent = co_await ws.send_chunk(piece->kind, as_bytes(piece->payload), piece->last, CallOptions());
    if (sent == SendResult::sent || sent == SendResult::queued) continue;
    static_cast<void>(ws.close(close_code::try_again_later));
    co_return;
  }
}

Handlers echo_messages() {
  Handlers handlers;
  handlers.message = [](Connection& ws, MessageView message) { (void)ws.send(message).result(); };
  return handlers;
}

Response explain(const Request&) {
  return Response::text(200, "This is `fairlead echo`: open a WebSocket on any path and every message comes back.\n");
}

ExitStatus echo(const EchoOptions& options) {
  Server server(server_options(options));
  RouteOptions route;
  route.subprotocols = options.subprotocols;
  route.compression = options.compression;
  route.stream_incoming = options.chunks;
  if (options.chunks) {
    server.websocket("/*", echo_pieces, route);
  } else {
    server.websocket("/*", echo_messages(), route);
  }
  server.http("/*", explain);
  return serve(server, options.serving, options.serving.cleartext ? "ws" : "wss");
}

}  // namespace

void add_echo(Program& program) {
  auto options = std::make_shared<EchoOptions>();
  options->limits = limits_for_echo();
  const Verb verb = program.verb(
      "echo", "Serve WebSockets that answer every message with itself",
      {.paragraphs =
           {"Prints one line, `listening on wss://HOST:PORT/`, as soon as it can be connected to. Every path is "
            "a WebSocket; an ordinary GET is answered with a line of text. Log lines go to stderr and never "
            "hold a message, a token or a query string.",
            "SIGTERM and SIGINT close every connection with 1001, spread over --drain, and end; a second signal "
            "ends at once. SIGHUP reads the certificate files again: open connections are not touched, and bad "
            "files change nothing.",
            "BYTES may be written with K, M or G; `unlimited` lifts a limit."},
       .examples = {{"fairlead echo", "with the development certificate, on wss://localhost:8443/"},
                    {"fairlead echo --listen 0.0.0.0:443 --cert fullchain.pem --key privkey.pem", "for everybody"},
                    {"fairlead echo --client-ca ca.pem", "only for clients with a certificate of that CA"},
                    {"fairlead echo --max-message 1G --chunks", "messages of any size in little memory"}},
       .exit_statuses = true});
  add_serving_options(verb, options->serving);
  verb.flag("--chunks", options->chunks, "Echo messages piece by piece, without holding them");
  add_tls(verb, *options);
  add_access(verb, *options);
  add_compression(verb, *options);
  add_limits(verb, *options);
  program.run(verb, [options] { return echo(*options); });
}

}  // namespace fairlead::cli

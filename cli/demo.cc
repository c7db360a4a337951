// SPDX-License-Identifier: Apache-2.0
// `fairlead demo`: what `./dev run` serves. A page that shows what was negotiated, and a room in which browsers and
// terminals talk to each other.
#include <fairlead/certificate.h>
#include <fairlead/server.h>
#include <fairlead/version.h>
#include <fmt/format.h>
#include <unistd.h>

#include <any>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "json.h"
#include "room.h"
#include "serving.h"
#include "terminal.h"

namespace fairlead::cli {
namespace {

struct DemoOptions {
  ServingOptions serving;
  std::string web;
};

constexpr std::string_view session_subprotocol = "session.fairlead";
// A person types and clicks; faster is a program that has lost its way.
constexpr std::size_t room_messages_per_second = 20;
constexpr std::size_t room_message_bytes = std::size_t{16} * 1024;

// ── /api/session ────────────────────────────────────────────────────────────────────────────────────────────────────

// To any browser: what it cannot know by itself, and nothing of this machine. `ca` names the development CA as
// `fairlead connect --ca` knows it; where its file lies is nobody's business.
std::string session_json(const Connection& ws, bool development) {
  const TlsInfo tls = ws.tls();
  JsonWriter json;
  json.open('{').member("tls", tls.version).member("cipher", tls.cipher).member("group", tls.group);
  json.member("alpn", tls.alpn).member("resumed", tls.resumed).member("protocol", ws.subprotocol());
  json.member("extensions", ws.extensions()).member("server", fmt::format("fairlead {}", fairlead::version()));
  json.member("peer", ws.request().peer.ip);
  if (development) json.member("ca", "dev");
  return json.close('}').text();
}

void add_session(Server& server, bool development) {
  RouteOptions route;
  route.subprotocols = {std::string(session_subprotocol)};
  route.compression.enabled = true;  // no secrets here, and the page shows that it was agreed on
  Handlers handlers;
  handlers.open = [development](Connection& ws) { ws.send(session_json(ws, development)); };
  handlers.message = [](Connection& ws, MessageView message) { ws.send(message); };
  server.websocket("/api/session", handlers, route);
}

// ── /room ───────────────────────────────────────────────────────────────────────────────────────────────────────────

std::int64_t now_ms() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count();
}

// Always through the member's mailbox, also from its own loop: a message that was sent at once would overtake those
// that are still in it, and members would hear different orders.
Room::Sink sink_of(const ConnectionHandle& handle) {
  return [handle](const SharedMessage& message) { (void)handle.post([message](Connection& ws) { ws.send(message); }); };
}

Handlers room_handlers(const std::shared_ptr<Room>& room) {
  Handlers handlers;
  handlers.open = [room](Connection& ws) {
    const RoomFormat format = ws.subprotocol() == room_json_subprotocol ? RoomFormat::json : RoomFormat::terminal;
    ws.data() = room->join(format, sink_of(ws.handle()));
  };
  handlers.message = [room](Connection& ws, MessageView message) {
    if (message.kind == MessageKind::binary) {
      (void)ws.close(close_code::unsupported_data, "the room speaks text");
      return;
    }
    room->hear(std::any_cast<MemberId>(ws.data()), message.text());
  };
  handlers.close = [room](Connection& ws, const CloseInfo&) {
    if (const auto* id = std::any_cast<MemberId>(&ws.data())) room->leave(*id);
  };
  return handlers;
}

void add_room(Server& server) {
  RouteOptions route;
  route.subprotocols = {std::string(room_json_subprotocol)};
  Limits limits;
  limits.message_bytes = limits.frame_bytes = room_message_bytes;
  limits.messages_per_second = room_messages_per_second;
  route.limits = limits;
  server.websocket("/room", room_handlers(std::make_shared<Room>(now_ms)), route);
}

void add_echo_route(Server& server) {
  Handlers handlers;
  handlers.message = [](Connection& ws, MessageView message) { ws.send(message); };
  server.websocket("/echo", handlers);
}

// ── Pages ───────────────────────────────────────────────────────────────────────────────────────────────────────────

// A page of ours loads nothing from elsewhere and talks to nobody but this server: 'self' counts for wss: as well. A
// page that is isolated from other origins may read a finer clock, so its round-trip times are not whole milliseconds.
Headers page_headers() {
  return {{"Content-Security-Policy",
           "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
           "manifest-src 'self'; connect-src 'self'; "
           "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
          {"X-Content-Type-Options", "nosniff"},
          {"Referrer-Policy", "no-referrer"},
          {"Cross-Origin-Opener-Policy", "same-origin"},
          {"Cross-Origin-Embedder-Policy", "require-corp"}};
}

Response text_page(const Request&) {
  return Response::text(200,
                        "fairlead demo: the web page was not built (--web DIR). These WebSockets are here:\n\n"
                        "  /room         a shared room: a line is a message, /name NAME renames you\n"
                        "  /api/session  what this connection negotiated, then an echo\n"
                        "  /echo         an echo\n");
}

// Beside an installed program: PREFIX/bin/fairlead and PREFIX/share/fairlead/web.
std::string installed_web() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto web = program.parent_path().parent_path() / "share" / "fairlead" / "web";
  return !error && std::filesystem::exists(web / "index.html", error) ? web.string() : std::string();
}

ExitStatus demo(const DemoOptions& options) {
  std::string ca_file;
  if (options.serving.certificate.empty()) {
    const Result<DevelopmentCertificate> certificate = ensure_development_certificate();
    if (certificate) ca_file = certificate->ca_file;  // else listening says what is wrong
  }
  const std::string web = options.web.empty() ? installed_web() : options.web;
  if (!web.empty() && !std::filesystem::is_directory(web)) {
    complain(fmt::format("--web: {} is not a folder", web));
    return ExitStatus::usage;
  }
  ServerOptions settings;
  settings.tls = tls_of(options.serving);
  settings.threads = options.serving.threads;
  settings.log = log_of(options.serving);
  Server server(std::move(settings));
  add_session(server, !ca_file.empty());
  add_room(server);
  add_echo_route(server);
  if (web.empty()) {
    server.http("/", text_page);
  } else {
    server.files(web, page_headers());
  }
  return serve(server, options.serving, "https", [&](const std::string& url) {
    const std::string ca = ca_file.empty() ? "" : " --ca " + ca_file;
    const std::string channel = "wss" + url.substr(url.find(':'));
    return fmt::format(
        "open {} in a browser; `fairlead cert dev` says how to trust its certificate\n"
        "fairlead connect {}room{}\n",
        url, channel, ca);
  });
}

}  // namespace

void add_demo(Program& program) {
  auto options = std::make_shared<DemoOptions>();
  CLI::App& verb = program.verb(
      "demo", "Serve the demonstration: a page, and a room for browsers and terminals",
      {.paragraphs =
           {"The page shows what its WebSocket negotiated and how long a round trip takes. The room at /room is "
            "shared by all pages and by every `fairlead connect`: a line is a message, `/name NAME` renames "
            "you. Also here: /api/session and /echo."},
       .examples = {{"fairlead demo", "on https://localhost:8443/, with the development certificate"},
                    {"fairlead connect wss://localhost:8443/room --ca dev", "join the room from a terminal"}}});
  add_serving_options(verb, options->serving);
  verb.add_option("--web", options->web, "Serve the files of this folder as pages")->type_name("DIR");
  program.run(verb, [options] { return demo(*options); });
}

}  // namespace fairlead::cli

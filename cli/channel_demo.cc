// SPDX-License-Identifier: Apache-2.0
#include "channel_demo.h"

#include <fairlead/version.h>
#include <fmt/format.h>

#include <any>
#include <chrono>
#include <memory>
#include <string>

#include "json.h"
#include "room.h"

namespace fairlead::cli {
namespace {

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

}  // namespace

void add_channel_demo(Server& server, bool development_certificate) {
  add_session(server, development_certificate);
  add_room(server);
  add_echo_route(server);
}

}  // namespace fairlead::cli

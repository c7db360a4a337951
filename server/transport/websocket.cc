// SPDX-License-Identifier: Apache-2.0
#include "transport/websocket.h"

#include "transport/link.h"

#include <any>
#include <utility>

namespace fairlead::server {
namespace {

constexpr std::string_view json_subprotocol = "centrifuge-json";
constexpr std::string_view protobuf_subprotocol = "centrifuge-protobuf";
// RFC 6455 5.5: what a close frame can carry beside its code.
constexpr std::size_t close_reason_bytes = 123;

class WebSocketLink final : public Link {
 public:
  WebSocketLink(LoopTransports& loop, Connection& ws, const Codec& codec, Envelope envelope)
      : Link(loop, codec, envelope, {.before = {}, .between = codec.separator(), .after = {}}), ws_(&ws) {}

  void ended() {
    ws_ = nullptr;
    gone();
  }

 private:
  SendResult write(std::string_view messages) override {
    if (ws_ == nullptr) return SendResult::closed;
    if (codec().format() == WireFormat::json) return ws_->send(messages);
    return ws_->send(as_bytes(messages));
  }
  SendResult write_shared(const SharedMessage& message) override {
    return ws_ != nullptr ? ws_->send(message).result() : SendResult::closed;
  }
  void close(const DisconnectReason& reason) override {
    if (ws_ == nullptr) return;
    const auto text = std::string_view(reason.reason).substr(0, close_reason_bytes);
    // A code or a reason that no close frame can carry still ends the connection.
    if (!ws_->close(static_cast<CloseCode>(reason.code), text)) {
      static_cast<void>(ws_->close(static_cast<CloseCode>(disconnect_reason::closed.code)));
    }
  }
  void hold_reading(bool held) override {
    if (ws_ == nullptr || std::exchange(held_, held) == held) return;
    held ? ws_->pause_receiving() : ws_->resume_receiving();
  }
  [[nodiscard]] std::size_t waiting_bytes() const noexcept override { return ws_ != nullptr ? ws_->queued_bytes() : 0; }

  Connection* ws_;  // null once it has closed
  bool held_ = false;
};

WebSocketLink* link_of(Connection& ws) {
  auto* link = std::any_cast<std::shared_ptr<WebSocketLink>>(&ws.data());
  return link != nullptr ? link->get() : nullptr;
}

// The subprotocol counts; without one, the parameters that older SDKs put into the URL.
WireFormat format_of(const Connection& ws) {
  if (!ws.subprotocol().empty()) {
    return ws.subprotocol() == protobuf_subprotocol ? WireFormat::protobuf : WireFormat::json;
  }
  const Request& request = ws.request();
  const bool protobuf =
      request.query_parameter("format") == "protobuf" || request.query_parameter("cf_protocol") == "protobuf";
  return protobuf ? WireFormat::protobuf : WireFormat::json;
}

RouteOptions options_of(const std::shared_ptr<Endpoints>& endpoints, const TransportSettings::Endpoint& where) {
  RouteOptions options;
  options.subprotocols = {std::string(json_subprotocol), std::string(protobuf_subprotocol)};
  // The rule of all transports stands in `accept`; the library's, which knows no globs and does not change, must not be
  // narrower.
  options.origin = OriginPolicy{};
  options.origin->dangerously_allow_any_origin = true;
  options.accept = [endpoints](const Request& request) {
    if (!endpoints->origins()->allow(request)) return Decision::refuse(403, "This page may not connect here.\n");
    return Decision::accept();
  };
  Limits limits;
  limits.message_bytes = limits.frame_bytes = endpoints->settings().limit_of(where);
  limits.outgoing_queue_bytes = endpoints->host().queue_max_bytes();
  limits.messages_per_second = unlimited;         // the session counts commands, at the rate that is configured
  limits.overflow = OverflowPolicy::drop_newest;  // the session closes, with the protocol's own code
  options.limits = limits;
  options.compression.enabled = endpoints->settings().compression;
  return options;
}

void open(Endpoints& endpoints, Connection& ws, std::string_view transport, bool unidirectional) {
  const WireFormat format = format_of(ws);
  auto link = std::make_shared<WebSocketLink>(endpoints.here(), ws, endpoints.host().codec(format),
                                              unidirectional ? Envelope::bare : Envelope::reply);
  ws.data() = link;
  const bool native = ws.request().query_parameter("cf_ws_frame_ping_pong") == "true";
  link->open(caller_of(ws.request(), transport, format),
             {.unidirectional = unidirectional, .emulated = false, .native_ping = native});
}

void add(Server& server, const std::shared_ptr<Endpoints>& endpoints, const TransportSettings::Endpoint& where,
         bool unidirectional) {
  Handlers handlers;
  handlers.open = [endpoints, unidirectional](Connection& ws) {
    open(*endpoints, ws, unidirectional ? "uni_websocket" : "websocket", unidirectional);
  };
  handlers.message = [unidirectional](Connection& ws, MessageView message) {
    WebSocketLink* const link = link_of(ws);
    if (link == nullptr) return;
    unidirectional ? link->receive_connect(message.text()) : link->receive(message.payload);
  };
  handlers.drain = [](Connection& ws) {
    if (auto* link = link_of(ws)) link->drained();
  };
  handlers.close = [](Connection& ws, const CloseInfo&) {
    if (auto* link = link_of(ws)) link->ended();
  };
  server.websocket(where.handler_prefix, std::move(handlers), options_of(endpoints, where));
}

}  // namespace

void add_websocket(Server& server, const std::shared_ptr<Endpoints>& endpoints,
                   const TransportSettings::Endpoint& where) {
  add(server, endpoints, where, false);
}

void add_uni_websocket(Server& server, const std::shared_ptr<Endpoints>& endpoints,
                       const TransportSettings::Endpoint& where) {
  add(server, endpoints, where, true);
}

}  // namespace fairlead::server

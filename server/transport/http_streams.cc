// SPDX-License-Identifier: Apache-2.0
#include "transport/http_streams.h"

#include "transport/link.h"

#include <fairlead/response_stream.h>

#include <utility>

namespace fairlead::server {
namespace {

class StreamLink final : public Link {
 public:
  StreamLink(LoopTransports& loop, ResponseStream stream, const Codec& codec, Envelope envelope, Framing framing)
      : Link(loop, codec, envelope, framing), stream_(std::move(stream)) {}

 private:
  SendResult write(std::string_view messages) override { return stream_.send(messages); }
  SendResult write_shared(const SharedMessage& message) override {
    const std::string_view payload = as_text(message.payload());
    if (framing().before.empty() && framing().after.empty()) return stream_.send(payload);
    std::string& whole = loop().scratch();
    whole.assign(framing().before).append(payload).append(framing().after);
    return stream_.send(whole);
  }
  void close(const DisconnectReason& reason) override {
    close_with_push(reason);
    stream_.end();
  }
  // Nothing comes this way: POST /emulation is bounded by what waits in the link.
  void hold_reading(bool /*held*/) override {}
  [[nodiscard]] std::size_t waiting_bytes() const noexcept override { return stream_.queued_bytes(); }

  ResponseStream stream_;
};

// How an endpoint speaks.
struct Dialect {
  std::string_view transport;
  bool events = false;  // server-sent events
  bool unidirectional = false;
  [[nodiscard]] std::string_view methods() const noexcept { return events ? "GET, POST, OPTIONS" : "POST, OPTIONS"; }
};

Framing framing_of(const Dialect& dialect, WireFormat format) {
  if (dialect.events) return {.before = "data: ", .between = {}, .after = "\n\n"};
  if (format == WireFormat::json) return {.before = {}, .between = {}, .after = "\n"};
  return {};
}

Headers headers_of(const Endpoints& endpoints, const Request& request, const Dialect& dialect, WireFormat format) {
  Headers headers;
  const std::string_view binary_or_json =
      format == WireFormat::protobuf ? "application/octet-stream" : "application/json; charset=utf-8";
  headers.add("Content-Type", dialect.events ? "text/event-stream; charset=utf-8" : binary_or_json);
  headers.add("X-Content-Type-Options", "nosniff");
  // Nobody on the way may wait for more, or keep it.
  headers.add("X-Accel-Buffering", "no");
  headers.add("Cache-Control", "private, no-cache, no-store, must-revalidate, max-age=0");
  headers.add("Pragma", "no-cache");
  endpoints.origins()->add_cors(request, headers);
  return headers;
}

// What the client says first: the body, or a parameter for browsers' EventSource, which can only GET.
std::string first_frame(const Request& request) {
  if (request.method == "GET") return request.query_parameter("cf_connect").value_or("");
  return request.body;
}

struct Beginning {
  std::shared_ptr<Endpoints> endpoints;
  Dialect dialect;
  WireFormat format;
  Caller caller;
  std::string first;
};

void begin(Beginning& beginning, const ResponseStream& out) {
  const Dialect& dialect = beginning.dialect;
  if (dialect.events) out.send("\r\n");  // so that a proxy or a polyfill sees the stream begin
  auto link = std::make_shared<StreamLink>(
      beginning.endpoints->here(), out, beginning.endpoints->host().codec(beginning.format),
      dialect.unidirectional ? Envelope::bare : Envelope::reply, framing_of(dialect, beginning.format));
  out.on_drain([weak = std::weak_ptr(link)] {
    if (const auto kept = weak.lock()) kept->drained();
  });
  out.on_close([link] { link->gone(); });
  link->open(std::move(beginning.caller),
             {.unidirectional = dialect.unidirectional, .emulated = !dialect.unidirectional, .native_ping = false});
  if (dialect.unidirectional) return link->receive_connect(beginning.first);
  link->receive(as_bytes(beginning.first));
}

Response serve(const std::shared_ptr<Endpoints>& endpoints, const Dialect& dialect, const Request& request) {
  if (auto refused = endpoints->refuse(request, dialect.methods())) return std::move(*refused);
  const WireFormat format = dialect.events ? WireFormat::json : format_of_body(request);
  const auto beginning = std::make_shared<Beginning>(
      Beginning{endpoints, dialect, format, caller_of(request, dialect.transport, format), first_frame(request)});
  return Response::stream(200, headers_of(*endpoints, request, dialect, format),
                          [beginning](const ResponseStream& out) { begin(*beginning, out); });
}

void add(Server& server, const std::shared_ptr<Endpoints>& endpoints, const TransportSettings::Endpoint& where,
         Dialect dialect) {
  server.http(where.handler_prefix,
              [endpoints, dialect](const Request& request) { return serve(endpoints, dialect, request); },
              {.body_bytes = endpoints->settings().limit_of(where),
               .outgoing_queue_bytes = endpoints->host().queue_max_bytes()});
}

Response emulate(Endpoints& endpoints, const Request& request) {
  if (auto refused = endpoints.refuse(request, "POST, OPTIONS")) return std::move(*refused);
  Response response = Response::empty(404);
  response.headers.add("Cache-Control", "no-store");
  endpoints.origins()->add_cors(request, response.headers);
  auto emulation = endpoints.host().codec(format_of_body(request)).decode_emulation(as_bytes(request.body));
  if (!emulation) {
    response.status = 400;
    return response;
  }
  // The session and the node are told to nobody but their client: whoever does not know both is told nothing.
  const auto place = endpoints.emulated().find(emulation->session);
  if (!place || emulation->node != endpoints.host().node_id()) return response;
  const bool posted = place->loop.post([weak = place->link, data = std::move(emulation->data)] {
    if (const auto link = weak.lock()) link->receive(as_bytes(data));
  });
  if (posted) response.status = 204;
  return response;
}

}  // namespace

void add_http_stream(Server& server, const std::shared_ptr<Endpoints>& endpoints,
                     const TransportSettings::Endpoint& where) {
  add(server, endpoints, where, {.transport = "http_stream"});
}
void add_sse(Server& server, const std::shared_ptr<Endpoints>& endpoints, const TransportSettings::Endpoint& where) {
  add(server, endpoints, where, {.transport = "sse", .events = true});
}
void add_uni_http_stream(Server& server, const std::shared_ptr<Endpoints>& endpoints,
                         const TransportSettings::Endpoint& where) {
  add(server, endpoints, where, {.transport = "uni_http_stream", .unidirectional = true});
}
void add_uni_sse(Server& server, const std::shared_ptr<Endpoints>& endpoints,
                 const TransportSettings::Endpoint& where) {
  add(server, endpoints, where, {.transport = "uni_sse", .events = true, .unidirectional = true});
}

void add_emulation(Server& server, const std::shared_ptr<Endpoints>& endpoints,
                   const TransportSettings::Endpoint& where) {
  server.http(where.handler_prefix, [endpoints](const Request& request) { return emulate(*endpoints, request); },
              {.body_bytes = endpoints->settings().limit_of(where)});
}

}  // namespace fairlead::server

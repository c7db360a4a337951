// SPDX-License-Identifier: Apache-2.0
#include "config/foreign.h"

#include <algorithm>
#include <array>

namespace fairlead::server::config {
namespace {

// Tuning of machinery that is not here: nothing that a client or a backend sees depends on it.
constexpr std::array<std::string_view, 27> without_effect{"websocket.compression_min_size",
                                                          "websocket.compression_level",
                                                          "websocket.read_buffer_size",
                                                          "websocket.use_write_buffer_pool",
                                                          "websocket.write_buffer_size",
                                                          "websocket.write_timeout",
                                                          "uni_websocket.compression",
                                                          "uni_websocket.compression_min_size",
                                                          "uni_websocket.compression_level",
                                                          "uni_websocket.read_buffer_size",
                                                          "uni_websocket.use_write_buffer_pool",
                                                          "uni_websocket.write_buffer_size",
                                                          "uni_websocket.write_timeout",
                                                          "uni_websocket.join_push_messages",
                                                          "usage_stats",
                                                          "client.concurrency",
                                                          "client.channel_position_max_time_lag",
                                                          "node.info_metrics_aggregate_interval",
                                                          "admin.secret",
                                                          "admin.web_path",
                                                          "admin.web_proxy_address",
                                                          "prometheus.instrument_http_handlers",
                                                          "enable_unreleased_features",
                                                          "swagger.handler_prefix",
                                                          "debug.handler_prefix",
                                                          "$schema",
                                                          "engine.redis"};

struct Refused {
  std::string_view path;
  std::string_view instead;
};
// Every listener serves everything, and there is no port for inside alone: that is said whatever the value is.
constexpr std::array<std::string_view, 4> served_everywhere{"http_api.external", "admin.external",
                                                            "prometheus.external", "health.external"};
constexpr std::array<Refused, 33> not_served{{
    {"http_server", "write listen.secure, listen.certificate_file and listen.key_file instead"},
    {"tls", "write listen.certificate_file and listen.key_file instead"},
    {"port", "write listen.secure instead"},
    {"address", "write listen.secure instead"},
    {"broker", "one engine does it all: write engine.type instead"},
    {"presence_manager", "one engine does it all: write engine.type instead"},
    {"map_broker", "map subscriptions are not served"},
    {"consumers", "messages are not taken from queues: publish by the HTTP API"},
    {"grpc_api", "there is no gRPC API: use the HTTP API"},
    {"uni_grpc", "there is no gRPC transport: use uni_websocket, uni_sse or uni_http_stream"},
    {"webtransport", "WebTransport is not served"},
    {"graphite", "metrics are served at /metrics alone"},
    {"opentelemetry", "traces are not exported"},
    {"swagger", "the API's page comes with the documentation"},
    {"debug", "there are no profiling pages"},
    {"dev", "start without a configuration for the development pages"},
    {"init", "connections are not initialised by an endpoint"},
    {"pid_file", "let the service manager know the process"},
    {"log.file", "logs go to the standard error output"},
    {"unified_proxy", "write the headers into each proxy"},
    {"channel.proxy.subscribe_stream", "subscription streams are not served"},
    {"client.user_id_http_header",
     "a header is no proof of identity here, since whoever reaches the listener can send it: use tokens, or the "
     "connect "
     "proxy, which is told the headers of client.proxy.connect.http_headers"},
    {"client.token.jwks", "sets of keys are fetched with the authorities of the system alone"},
    {"client.subscription_token.jwks", "sets of keys are fetched with the authorities of the system alone"},
    {"client.connect_code_to_unidirectional_disconnect", "unidirectional clients get the codes as they are"},
    {"uni_sse.connect_code_to_http_response", "unidirectional clients get the codes as they are"},
    {"uni_http_stream.connect_code_to_http_response", "unidirectional clients get the codes as they are"},
    {"admin.insecure", "the admin pages always ask for admin.password"},
    {"engine.redis_address", "the engine redis is not there"},
    {"secrets", "give them by the environment"},
    {"map", "map subscriptions are not served"},
    {"shared_poll", "shared polls are not served"},
    {"subscription_type", "streams are the one type that is served"},
}};
// Keys of the elements of channel.namespaces[] and proxies[] and of the same sections elsewhere, by their last words.
constexpr std::array<Refused, 9> not_served_there{{
    {"subscribe_stream_proxy_enabled", "subscription streams are not served"},
    {"subscribe_stream_proxy_name", "subscription streams are not served"},
    {"subscribe_stream_proxy_bidirectional", "subscription streams are not served"},
    {"subscription_type", "streams are the one type that is served"},
    {"subscription_types", "streams are the one type that is served"},
    {"shared_poll", "shared polls are not served"},
    {"map", "map subscriptions are not served"},
    {"http.tls", "write http.tls.ca_file for the CA of the backend; nothing else of it is served"},
    {"grpc", "the backend is asked by HTTP"},
}};
constexpr std::array<std::string_view, 1> without_effect_there{"grpc_metadata"};

bool is_or_below(std::string_view path, std::string_view section) {
  return path == section || (path.starts_with(section) && path[section.size()] == '.');
}
bool ends_in(std::string_view path, std::string_view words) {
  return path == words || (path.ends_with(words) && path[path.size() - words.size() - 1] == '.');
}

// "http.tls" is a section of ours, too: what is unknown of it is found inside.
bool is_inside(std::string_view path, std::string_view words) {
  const std::size_t at = path.find(words);
  const bool begins = at == 0 || (at != std::string_view::npos && path[at - 1] == '.');
  return begins && path.substr(at + words.size()).starts_with('.');
}

// Nothing would be different if it were not there.
bool is_off(const Value& value) {
  if (const auto* yes = std::get_if<bool>(&value.data)) return !*yes;
  if (const auto* text = std::get_if<std::string>(&value.data)) return text->empty() || *text == "default";
  if (const auto* number = std::get_if<std::int64_t>(&value.data)) return *number == 0;
  if (const auto* list = std::get_if<List>(&value.data)) return std::ranges::all_of(*list, is_off);
  const auto* table = std::get_if<Table>(&value.data);
  if (table == nullptr) return std::holds_alternative<std::monostate>(value.data);
  if (const auto enabled = table->find("enabled"); enabled != table->end()) return is_off(enabled->second);
  return std::ranges::all_of(*table, [](const auto& member) { return is_off(member.second); });
}

Foreign judged(const Value& value, std::string_view instead) {
  if (is_off(value)) return {ForeignUse::harmless, "it is switched off"};
  return {ForeignUse::refused, std::string(instead)};
}

}  // namespace

std::optional<Foreign> foreign(std::string_view path, const Value& value) {
  const auto same = [&](std::string_view one) { return is_or_below(path, one); };
  if (std::ranges::any_of(without_effect, same)) return Foreign{ForeignUse::harmless, "it has no meaning here"};
  if (std::ranges::find(served_everywhere, path) != served_everywhere.end())
    return Foreign{ForeignUse::harmless, "every listener serves it to whoever can reach that listener"};
  const auto ends = [&](std::string_view one) { return ends_in(path, one); };
  if (std::ranges::any_of(without_effect_there, ends)) return Foreign{ForeignUse::harmless, "it has no meaning here"};
  for (const Refused& one : not_served)
    if (is_or_below(path, one.path)) return judged(value, one.instead);
  for (const Refused& one : not_served_there)
    if (ends_in(path, one.path) || is_inside(path, one.path)) return judged(value, one.instead);
  return std::nullopt;
}

}  // namespace fairlead::server::config

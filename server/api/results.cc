// SPDX-License-Identifier: Apache-2.0
#include "api/results.h"

#include "api/json_writer.h"
#include "model/json.h"

namespace fairlead::server::results {
namespace {

// Information about a client comes from tokens and backends as JSON; what came as bytes is shown as base64.
void write_payload(JsonWriter& json, std::string_view name, const Payload& payload) {
  json.payload_field(name, payload, is_json(payload));
}

void write_info(JsonWriter& json, const ClientInfo& info) {
  json.begin_object().field("user", info.user).field("client", info.client);
  write_payload(json, "conn_info", info.conn_info);
  write_payload(json, "chan_info", info.chan_info);
  json.end_object();
}

void write_publication(JsonWriter& json, const Publication& publication) {
  json.begin_object();
  json.payload_field("data", publication.data, publication.json);
  json.optional_field("offset", publication.offset);
  json.optional_field("time", publication.time_ms);
  json.optional_field("key", publication.key);
  json.optional_field("version", publication.version);
  if (publication.info) {
    json.key("info");
    write_info(json, *publication.info);
  }
  if (!publication.tags.empty()) {
    json.key("tags").begin_object();
    for (const auto& [name, value] : publication.tags) json.field(name, value);
    json.end_object();
  }
  json.end_object();
}

void write_position(JsonWriter& json, const StreamPosition& position) {
  json.optional_field("offset", position.offset).optional_field("epoch", position.epoch);
}

void write_node(JsonWriter& json, const NodeInfo& node) {
  json.begin_object().field("uid", node.uid).field("name", node.name).field("version", node.version);
  json.field("num_clients", node.num_clients).field("num_users", node.num_users);
  json.field("num_channels", node.num_channels).field("num_subs", node.num_subs).field("uptime", node.uptime_seconds);
  json.key("metrics").begin_object().key("items").begin_object();
  for (const auto& [name, value] : node.metrics) json.field(name, value);
  json.end_object().end_object();
  json.key("process").begin_object();
  json.field("cpu", node.process.cpu_percent).field("rss", node.process.resident_bytes);
  json.end_object().end_object();
}

void write_connection(JsonWriter& json, const ConnectionInfo& connection) {
  json.begin_object().field("client", connection.client).field("user", connection.user);
  json.field("transport", connection.transport).field("protocol", connection.protocol);
  json.field("peer", connection.peer_ip).field("connected_at", connection.connected_at_ms);
  json.key("channels").begin_array();
  for (const auto& channel : connection.channels) json.text(channel);
  json.end_array().end_object();
}

void write_record(JsonWriter& json, const TraceRecord& record) {
  json.begin_object().field("time", record.time_ms).field("kind", name(record.kind));
  json.optional_field("client", record.client).optional_field("user", record.user);
  json.optional_field("channel", record.channel).optional_field("offset", record.offset);
  json.optional_field("code", record.code).optional_field("detail", record.detail);
  if (record.kind == TraceKind::recovered) json.field("since", record.since);
  json.optional_field("taken_until", record.taken_until_ms);
  json.end_object();
}

void write_error(JsonWriter& json, const ClientError& error) {
  json.begin_object().field("code", error.code).field("message", error.message).end_object();
}

void write_event(JsonWriter& json, const LifecycleEvent& event) {
  json.begin_object().field("sequence", event.sequence).field("time", event.time_ms).field("kind", event.kind);
  json.optional_field("client", event.client).optional_field("user", event.user);
  json.optional_field("channel", event.channel).optional_field("code", event.code);
  json.optional_field("reason", event.reason);
  json.end_object();
}

}  // namespace

std::string write(const StreamPosition& position) {
  JsonWriter json;
  json.begin_object();
  write_position(json, position);
  return json.end_object().take();
}

std::string write(const std::vector<Answer<StreamPosition>>& responses) {
  JsonWriter json;
  json.begin_object().key("responses").begin_array();
  for (const auto& response : responses) {
    json.begin_object();
    if (response) {
      json.key("result").begin_object();
      write_position(json, *response);
      json.end_object();
    } else {
      json.key("error");
      write_error(json, response.error());
    }
    json.end_object();
  }
  return json.end_array().end_object().take();
}

std::string write(const Presence& presence) {
  JsonWriter json;
  json.begin_object().key("presence").begin_object();
  for (const auto& [client, info] : presence) {
    json.key(client);
    write_info(json, info);
  }
  return json.end_object().end_object().take();
}

std::string write(const PresenceStats& stats) {
  JsonWriter json;
  json.begin_object().field("num_clients", stats.clients).field("num_users", stats.users);
  return json.end_object().take();
}

std::string write(const HistoryAnswer& history) {
  JsonWriter json;
  json.begin_object().key("publications").begin_array();
  for (const auto& publication : history.publications) write_publication(json, *publication);
  json.end_array();
  json.field("offset", history.position.offset).field("epoch", history.position.epoch);
  return json.end_object().take();
}

std::string write(const std::map<std::string, ChannelSummary>& channels) {
  JsonWriter json;
  json.begin_object().key("channels").begin_object();
  for (const auto& [channel, summary] : channels) {
    json.key(channel).begin_object().field("num_clients", summary.num_clients).end_object();
  }
  return json.end_object().end_object().take();
}

std::string write(const std::vector<NodeInfo>& nodes) {
  JsonWriter json;
  json.begin_object().key("nodes").begin_array();
  for (const auto& node : nodes) write_node(json, node);
  return json.end_array().end_object().take();
}

std::string write(const Connections& connections) {
  JsonWriter json;
  json.begin_object().key("connections").begin_array();
  for (const auto& connection : connections.connections) write_connection(json, connection);
  return json.end_array().field("more", connections.more).end_object().take();
}

std::string write_rpc(const Payload& data) {
  JsonWriter json;
  json.begin_object();
  write_payload(json, "data", data);
  return json.end_object().take();
}

std::string write(const TraceAnswer& answer) {
  JsonWriter json;
  json.begin_object().field("verdict", answer.verdict).field("sentence", answer.sentence);
  json.optional_field("client", answer.client);
  json.key("records").begin_array();
  for (const auto& record : answer.records) write_record(json, record);
  return json.end_array().end_object().take();
}

std::string write(const LifecycleEvents& events) {
  JsonWriter json;
  json.begin_object().key("events").begin_array();
  for (const auto& event : events.events) write_event(json, event);
  json.end_array().field("newest", events.newest).field("acknowledged", events.acknowledged);
  return json.field("lost_before", events.lost_before).end_object().take();
}

std::string write(const ClientError& error) {
  JsonWriter json;
  write_error(json, error);
  return json.take();
}

std::string write(const LifecycleEvent& event) {
  JsonWriter json;
  write_event(json, event);
  return json.take();
}

}  // namespace fairlead::server::results

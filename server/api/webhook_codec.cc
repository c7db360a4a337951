// SPDX-License-Identifier: Apache-2.0
#include "api/webhook_codec.h"

#include "api/fields.h"
#include "api/json.h"
#include "api/json_writer.h"
#include "api/requests.h"
#include "api/secrets.h"
#include "model/json.h"

#include <fairlead/http.h>

#include <algorithm>
#include <cctype>

namespace fairlead::server::webhook {
namespace {

constexpr int ok_status = 200;
constexpr std::size_t reason_bytes = 123;          // RFC 6455 5.5
constexpr std::size_t subscriptions_most = 1'000;  // that a backend gives at connect
constexpr std::size_t tags_most = 64;

// ── Questions ───────────────────────────────────────────────────────────────────────────────────────────────────────

void write_payload(JsonWriter& json, const ProxySettings& proxy, const Payload& data) {
  json.payload_field("data", data, !proxy.binary_encoding && is_json(data));
}

JsonWriter begin(const ProxySettings& proxy, const Caller& caller) {
  JsonWriter json;
  json.begin_object().field("client", caller.client).field("transport", caller.transport);
  json.field("protocol", caller.protocol).field("encoding", caller.encoding).field("user", caller.user);
  if (proxy.include_connection_meta && is_json(caller.meta)) json.raw_field("meta", caller.meta);
  return json;
}

// ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

void list(Fields& fields, ServerSubscription& subscription) {
  fields.payload("info", subscription.info);
  fields.payload("data", subscription.data);
  fields.integer("expire_at", subscription.expire_at);
  requests::list(fields, subscription.overrides);
}

void list(Fields& fields, ConnectAnswer& answer) {
  fields.text("user", answer.user);
  fields.integer("expire_at", answer.expire_at);
  fields.payload("info", answer.info);
  fields.payload("data", answer.data);
  fields.payload("meta", answer.meta);
  fields.texts("channels", answer.channels, subscriptions_most);
  fields.objects("subs", subscriptions_most,
                 [&answer](const std::string& channel, Fields& inner) { list(inner, answer.subs[channel]); });
}

void list(Fields& fields, RefreshAnswer& answer) {
  fields.boolean("expired", answer.expired);
  fields.integer("expire_at", answer.expire_at);
  fields.payload("info", answer.info);
  fields.payload("meta", answer.meta);
}

void list(Fields& fields, SubscribeAnswer& answer) {
  fields.payload("info", answer.info);
  fields.payload("data", answer.data);
  fields.integer("expire_at", answer.expire_at);
  requests::list(fields, answer.overrides);
}

void list(Fields& fields, PublishAnswer& answer) {
  Payload data;
  fields.payload("data", data);
  if (!data.empty()) answer.data = std::move(data);
  fields.boolean("skip_history", answer.skip_history);
  fields.boolean("delta", answer.delta);
  fields.text_map("tags", answer.tags, tags_most);
  fields.text("idempotency_key", answer.idempotency_key);
  fields.unsigned_integer("version", answer.version);
  fields.text("version_epoch", answer.version_epoch);
}

void list(Fields& fields, RpcAnswer& answer) { fields.payload("data", answer.data); }

template <class Answer>
Reading<Answer> nonsense(std::string problem) {
  return {client_error::internal, false, std::move(problem)};
}

template <class Answer>
Reading<Answer> read_error(const JsonValue& value) {
  ClientError error{0, {}, false};
  FieldReader reader(value, "error");
  reader.unsigned_integer("code", error.code, 0, UINT32_MAX);
  reader.text("message", error.message, Need::optional);
  reader.boolean("temporary", error.temporary);
  if (reader.problem()) return nonsense<Answer>("the backend's answer: " + *reader.problem());
  if (error.code == 0) return nonsense<Answer>("the backend's answer has an error without a code");
  return {std::move(error), true, {}};
}

template <class Answer>
Reading<Answer> read_disconnect(const JsonValue& value) {
  DisconnectReason reason{0, {}};
  FieldReader reader(value, "disconnect");
  reader.unsigned_integer("code", reason.code, 3000, 4999);
  reader.text("reason", reason.reason, Need::optional);
  if (reader.problem()) return nonsense<Answer>("the backend's answer: " + *reader.problem());
  if (reason.code == 0) return nonsense<Answer>("the backend's answer has a disconnect without a code");
  if (reason.reason.size() > reason_bytes) return nonsense<Answer>("the backend's reason has more than 123 bytes");
  return {std::move(reason), true, {}};
}

template <class Answer>
Reading<Answer> read_result(const JsonValue& value) {
  Answer answer;
  FieldReader reader(value, "result");
  list(reader, answer);
  if (reader.problem()) return nonsense<Answer>("the backend's answer: " + *reader.problem());
  return {std::move(answer), true, {}};
}

template <class Answer>
Reading<Answer> read_status(const ProxySettings& proxy, int status) {
  const auto& transforms = proxy.status_to_code_transforms;
  const auto found = std::ranges::find(transforms, status, &StatusTransform::status_code);
  if (found == transforms.end()) {
    return nonsense<Answer>("the backend answered with status " + std::to_string(status));
  }
  if (found->disconnect_code != 0) return {DisconnectReason{found->disconnect_code, found->message}, true, {}};
  return {ClientError{found->error_code, found->message, found->temporary}, true, {}};
}

const JsonValue* member(const std::vector<JsonMember>& members, std::string_view name) {
  const auto* const value = find(members, name);
  return value == nullptr || value->type == JsonType::null ? nullptr : value;
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  std::ranges::transform(lowered, lowered.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lowered;
}

// Fields that say how this very request is framed, routed or proven: never a client's.
bool is_ours(const std::string& lowered) {
  constexpr std::string_view ours[] = {
      "connection", "content-encoding", "content-length",    "content-type", "expect",  "host",
      "keep-alive", "proxy-connection", "transfer-encoding", "te",           "trailer", "upgrade"};
  return lowered.starts_with("x-fairlead-") || std::ranges::find(ours, lowered) != std::end(ours);
}

void forward(const std::vector<std::string>& named, const std::map<std::string, std::string>& from, Headers& to) {
  for (const auto& name : named) {
    const std::string wanted = lower(name);
    if (is_ours(wanted) || to.contains(wanted)) continue;
    for (const auto& [key, value] : from) {
      // A value that could not stand in a field is refused by `add`.
      if (lower(key) == wanted) to.add(name, value);
    }
  }
}

}  // namespace

std::string write(const ProxySettings& proxy, const ConnectQuestion& question) {
  auto json = begin(proxy, question.caller);
  json.optional_field("name", question.name).optional_field("version", question.version);
  write_payload(json, proxy, question.data);
  if (!question.channels.empty()) {
    json.key("channels").begin_array();
    for (const auto& channel : question.channels) json.text(channel);
    json.end_array();
  }
  return json.end_object().take();
}

std::string write_refresh(const ProxySettings& proxy, const Caller& caller) {
  return begin(proxy, caller).end_object().take();
}

std::string write(const ProxySettings& proxy, const SubscribeQuestion& question) {
  auto json = begin(proxy, question.caller);
  json.field("channel", question.channel).optional_field("token", question.token);
  write_payload(json, proxy, question.data);
  return json.end_object().take();
}

std::string write(const ProxySettings& proxy, const PublishQuestion& question) {
  auto json = begin(proxy, question.caller);
  json.field("channel", question.channel);
  write_payload(json, proxy, question.data);
  return json.end_object().take();
}

std::string write_sub_refresh(const ProxySettings& proxy, const Caller& caller, const std::string& channel) {
  return begin(proxy, caller).field("channel", channel).end_object().take();
}

std::string write(const ProxySettings& proxy, const RpcQuestion& question) {
  auto json = begin(proxy, question.caller);
  json.field("method", question.method);
  write_payload(json, proxy, question.data);
  return json.end_object().take();
}

template <class Answer>
Reading<Answer> read(const ProxySettings& proxy, int status, std::string_view body) {
  if (status != ok_status) return read_status<Answer>(proxy, status);
  const auto root = parse_json(body);
  const auto members = root ? members_of(*root) : std::nullopt;
  if (!members) return nonsense<Answer>("the backend's answer is not a JSON object");
  if (const auto* const value = member(*members, "disconnect")) return read_disconnect<Answer>(*value);
  if (const auto* const value = member(*members, "error")) return read_error<Answer>(*value);
  if (const auto* const value = member(*members, "result")) return read_result<Answer>(*value);
  return nonsense<Answer>("the backend's answer has neither result nor error nor disconnect");
}

template Reading<ConnectAnswer> read(const ProxySettings&, int, std::string_view);
template Reading<RefreshAnswer> read(const ProxySettings&, int, std::string_view);
template Reading<SubscribeAnswer> read(const ProxySettings&, int, std::string_view);
template Reading<PublishAnswer> read(const ProxySettings&, int, std::string_view);
template Reading<RpcAnswer> read(const ProxySettings&, int, std::string_view);

std::vector<std::pair<std::string, std::string>> header_fields(const ProxySettings& proxy, const Caller& caller,
                                                               std::string_view body, std::int64_t unix_seconds) {
  Headers fields;
  for (const auto& [name, value] : proxy.static_headers) fields.add(name, value);
  forward(proxy.http_headers, caller.headers, fields);
  forward(proxy.emulated_headers, caller.emulated_headers, fields);
  fields.set("Content-Type", "application/json");
  if (!proxy.signing_secret.empty()) {
    const auto time = std::to_string(unix_seconds);
    fields.set("X-Fairlead-Timestamp", time);
    fields.set("X-Fairlead-Signature", webhook_signature(proxy.signing_secret, time, body));
  }
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& field : fields) pairs.emplace_back(field.name, field.value);
  return pairs;
}

}  // namespace fairlead::server::webhook

// SPDX-License-Identifier: Apache-2.0
#include "api/requests.h"

#include "api/methods.h"

namespace fairlead::server::requests {
namespace {

// RFC 6455 5.5: a close frame has room for 123 bytes of reason.
constexpr std::size_t reason_bytes = 123;

void list(Fields& fields, Whom& whom) {
  fields.text("user", whom.user);
  fields.text("client", whom.client);
  fields.text("session", whom.session);
}

void list(Fields& fields, PublishCall& call) {
  fields.payload("data", call.data, call.json, Need::required);
  fields.boolean("skip_history", call.skip_history);
  fields.text_map("tags", call.tags, api_limits::tags);
  fields.text("key", call.key);
  fields.text("idempotency_key", call.idempotency_key);
  fields.boolean("delta", call.delta);
  fields.unsigned_integer("version", call.version);
  fields.text("version_epoch", call.version_epoch);
}

void list(Fields& fields, std::string_view name, std::optional<StreamPosition>& position) {
  fields.object(name, [&position](Fields& inner) {
    StreamPosition read;
    inner.unsigned_integer("offset", read.offset);
    inner.text("epoch", read.epoch);
    position = std::move(read);
  });
}

}  // namespace

void list(Fields& fields, SubscriptionOverride& overrides) {
  fields.object("override", [&overrides](Fields& inner) {
    inner.overridden("presence", overrides.presence);
    inner.overridden("join_leave", overrides.join_leave);
    inner.overridden("force_push_join_leave", overrides.force_push_join_leave);
    inner.overridden("force_positioning", overrides.force_positioning);
    inner.overridden("force_recovery", overrides.force_recovery);
    inner.overridden("slow_policy", overrides.slow_policy);
    inner.overridden("slow_queue_messages", overrides.slow_queue_messages, slow_queue_messages_most);
    inner.overridden("slow_sample_per_second", overrides.slow_sample_per_second, slow_samples_least, slow_samples_most);
  });
}

void list(Fields& fields, Publish& request) {
  fields.text("channel", request.channel, Need::required);
  list(fields, request.call);
}

void list(Fields& fields, Broadcast& request) {
  fields.texts("channels", request.channels, api_limits::broadcast_channels, Need::required);
  list(fields, request.call);
}

void list(Fields& fields, SubscribeCall& request) {
  list(fields, request.whom);
  fields.text("channel", request.channel, Need::required);
  fields.payload("info", request.subscription.info);
  fields.payload("data", request.subscription.data);
  fields.integer("expire_at", request.subscription.expire_at);
  list(fields, "recover_since", request.recover_since);
  list(fields, request.subscription.overrides);
}

void list(Fields& fields, UnsubscribeCall& request) {
  list(fields, request.whom);
  fields.text("channel", request.channel, Need::required);
}

void list(Fields& fields, DisconnectCall& request) {
  list(fields, request.whom);
  fields.texts("whitelist", request.whitelist, api_limits::whitelist);
  fields.object("disconnect", [&request](Fields& inner) {
    request.reason.reason.clear();
    // 3000 up to 4999: what an application may put into a close frame and SDKs understand.
    inner.unsigned_integer("code", request.reason.code, 3000, 4999);
    inner.text("reason", request.reason.reason);
  });
}

void list(Fields& fields, RefreshCall& request) {
  list(fields, request.whom);
  fields.boolean("expired", request.answer.expired);
  fields.integer("expire_at", request.answer.expire_at);
  fields.payload("info", request.answer.info);
}

void list(Fields& fields, Channel& request) { fields.text("channel", request.channel, Need::required); }

void list(Fields& fields, HistoryCall& request) {
  fields.text("channel", request.channel, Need::required);
  fields.integer("limit", request.limit);
  list(fields, "since", request.since);
  fields.boolean("reverse", request.reverse);
}

void list(Fields& fields, Channels& request) { fields.text("pattern", request.pattern); }

void list(Fields& /*fields*/, Nothing& /*request*/) {}

void list(Fields& fields, ConnectionsCall& request) {
  fields.text("user", request.user);
  fields.text("client", request.client);
  fields.text("channel", request.channel);
  fields.size("limit", request.limit, api_limits::connections);
}

void list(Fields& fields, RpcCall& request) {
  fields.text("method", request.method);
  fields.payload("params", request.params);
}

void list(Fields& fields, TraceQuery& request) {
  fields.text("client", request.client);
  fields.text("user", request.user);
  fields.text("channel", request.channel);
  fields.unsigned_integer("offset", request.offset);
  fields.size("limit", request.limit, api_limits::trace_records);
}

void list(Fields& fields, RevokeTokenCall& request) {
  fields.text("uid", request.id, Need::required);
  fields.integer("expire_at", request.expire_at);
}

void list(Fields& fields, InvalidateUserTokensCall& request) {
  fields.text("user", request.user, Need::required);
  fields.integer("issued_before", request.issued_before);
  fields.integer("expire_at", request.expire_at);
}

void list(Fields& fields, Events& request) {
  fields.unsigned_integer("after", request.after);
  fields.size("limit", request.limit, api_limits::events);
}

void list(Fields& fields, Acknowledge& request) { fields.unsigned_integer("sequence", request.sequence); }

std::optional<std::string> problem(const Whom& whom) {
  if (!whom.user.empty() || !whom.client.empty() || !whom.session.empty()) return std::nullopt;
  return "one of the fields \"user\", \"client\" and \"session\" is required";
}

std::optional<std::string> problem(const DisconnectCall& request) {
  if (request.reason.reason.size() > reason_bytes) return "field \"disconnect.reason\" has more than 123 bytes";
  return problem(request.whom);
}

std::optional<std::string> problem(const Publish& request) {
  // Without an epoch's history there is nothing that a version could be compared with: the node decides. An epoch
  // without a version means nothing.
  if (request.call.version == 0 && !request.call.version_epoch.empty()) {
    return "field \"version_epoch\" needs \"version\"";
  }
  return std::nullopt;
}

}  // namespace fairlead::server::requests

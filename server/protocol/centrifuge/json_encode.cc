// SPDX-License-Identifier: Apache-2.0
#include "protocol/centrifuge/json_encode.h"

#include "protocol/centrifuge/fossil.h"
#include "protocol/centrifuge/json_writer.h"

#include <optional>
#include <utility>

namespace fairlead::server::centrifuge {

namespace {

// ── Publications ────────────────────────────────────────────────────────────────────────────────────────────────────
// What JSON clients see of a publication, and what the deltas of their subscriptions are made of.
class VisibleText {
 public:
  explicit VisibleText(const Publication& publication) {
    if (publication.json) {
      text_ = publication.data;
      return;
    }
    append_binary(publication.data, storage_);
    text_ = storage_;
  }
  VisibleText(const VisibleText&) = delete;
  VisibleText& operator=(const VisibleText&) = delete;
  ~VisibleText() = default;
  [[nodiscard]] std::string_view view() const noexcept { return text_; }

 private:
  std::string storage_;
  std::string_view text_;
};

// `data`, and whether it became a delta. On a subscription with deltas it is a string, whichever it became.
bool write_data(const Publication& publication, PayloadForm form, const Publication* previous, JsonWriter& writer) {
  const VisibleText text(publication);
  if (form == PayloadForm::plain) {
    if (!publication.data.empty()) writer.name("data"), writer.out() += text.view();
    return false;
  }
  std::optional<std::string> delta;
  if (form == PayloadForm::delta && previous != nullptr)
    delta = fossil::create_utf8(VisibleText(*previous).view(), text.view());
  writer.name("data");
  append_json_string(delta ? std::string_view(*delta) : text.view(), writer.out());
  return delta.has_value();
}

void write_members(const ClientInfo& info, JsonWriter& writer) {
  writer.text("user", info.user);
  writer.text("client", info.client);
  writer.payload("conn_info", info.conn_info);
  writer.payload("chan_info", info.chan_info);
}

void write_members(const Publication& publication, PayloadForm form, const Publication* previous, JsonWriter& writer) {
  const bool is_delta = write_data(publication, form, previous, writer);
  if (publication.info) writer.object("info", [&] { write_members(*publication.info, writer); });
  writer.number("offset", publication.offset);
  writer.texts("tags", publication.tags);
  writer.flag("delta", is_delta);
  writer.number("time", publication.time_ms);
  writer.text("key", publication.key);
}

// Missed publications of a subscription with deltas: the first one whole, the others built on the one before them.
void write_list(const std::vector<PublicationPtr>& publications, bool deltas, JsonWriter& writer) {
  writer.out().push_back('[');
  const Publication* previous = nullptr;
  for (const PublicationPtr& publication : publications) {
    if (previous != nullptr) writer.out().push_back(',');
    writer.open();
    write_members(*publication, deltas ? PayloadForm::delta : PayloadForm::plain, previous, writer);
    writer.close();
    previous = publication.get();
  }
  writer.out().push_back(']');
}

void write_publications(const std::vector<PublicationPtr>& publications, bool deltas, JsonWriter& writer) {
  if (publications.empty()) return;
  writer.name("publications");
  write_list(publications, deltas, writer);
}

void write_missed(const SubscribeResult& result, JsonWriter& writer) {
  if (result.missed == nullptr) return write_publications(result.publications, result.delta, writer);
  writer.name("publications");
  writer.out() += result.missed->in_json([](const std::vector<PublicationPtr>& publications, std::string& out) {
    JsonWriter own(out);
    write_list(publications, false, own);
  });
}

// ── Results ─────────────────────────────────────────────────────────────────────────────────────────────────────────
void write_members(const SubscribeResult& result, JsonWriter& writer) {
  writer.flag("expires", result.expires);
  writer.number("ttl", result.ttl);
  writer.flag("recoverable", result.recoverable);
  writer.text("epoch", result.position.epoch);
  write_missed(result, writer);
  writer.flag("recovered", result.recovered);
  writer.number("offset", result.position.offset);
  writer.flag("positioned", result.positioned);
  writer.payload("data", result.data);
  writer.flag("was_recovering", result.was_recovering);
  writer.flag("delta", result.delta);
  writer.number("id", result.id);
}
void write_members(const ConnectResult& result, JsonWriter& writer) {
  writer.text("client", result.client);
  writer.text("version", result.version);
  writer.flag("expires", result.expires);
  writer.number("ttl", result.ttl);
  writer.payload("data", result.data);
  if (!result.subs.empty())
    writer.object("subs", [&] {
      for (const auto& [channel, subscription] : result.subs) {
        writer.entry(channel);
        writer.open();
        write_members(subscription, writer);
        writer.close();
      }
    });
  writer.number("ping", result.ping);
  writer.flag("pong", result.pong);
  writer.text("session", result.session);
  writer.text("node", result.node);
  writer.number("time", result.time_ms);
}
void write_members(const UnsubscribeResult&, JsonWriter&) {}
void write_members(const PublishResult&, JsonWriter&) {}
void write_members(const PresenceResult& result, JsonWriter& writer) {
  writer.object("presence", [&] {
    for (const auto& [client, info] : result.presence) {
      writer.entry(client);
      writer.open();
      write_members(info, writer);
      writer.close();
    }
  });
}
void write_members(const PresenceStatsResult& result, JsonWriter& writer) {
  writer.number("num_clients", result.stats.clients);
  writer.number("num_users", result.stats.users);
}
void write_members(const HistoryResult& result, JsonWriter& writer) {
  write_publications(result.publications, false, writer);
  writer.text("epoch", result.position.epoch);
  writer.number("offset", result.position.offset);
}
void write_members(const RpcResult& result, JsonWriter& writer) { writer.payload("data", result.data); }
void write_members(const RefreshResult& result, JsonWriter& writer) {
  writer.text("client", result.client);
  writer.text("version", result.version);
  writer.flag("expires", result.expires);
  writer.number("ttl", result.ttl);
}
void write_members(const SubRefreshResult& result, JsonWriter& writer) {
  writer.flag("expires", result.expires);
  writer.number("ttl", result.ttl);
}
void write_members(const ClientError& error, JsonWriter& writer) {
  writer.number("code", error.code);
  writer.text("message", error.message);
  writer.flag("temporary", error.temporary);
}

std::string_view field_of(const Reply& reply) {
  static constexpr std::array<std::string_view, 11> names{"error",   "connect",  "subscribe",      "unsubscribe",
                                                          "publish", "presence", "presence_stats", "history",
                                                          "rpc",     "refresh",  "sub_refresh"};
  static_assert(names.size() == std::variant_size_v<decltype(Reply::body)>);
  return names[reply.body.index()];
}

// ── Pushes ──────────────────────────────────────────────────────────────────────────────────────────────────────────
void write_members(const JoinPush& push, JsonWriter& writer) {
  writer.object("info", [&] { write_members(push.info, writer); });
}
void write_members(const LeavePush& push, JsonWriter& writer) {
  writer.object("info", [&] { write_members(push.info, writer); });
}
void write_members(const UnsubscribeReason& push, JsonWriter& writer) {
  writer.number("code", push.code);
  writer.text("reason", push.reason);
}
void write_members(const SubscribePush& push, JsonWriter& writer) {
  writer.flag("recoverable", push.recoverable);
  writer.text("epoch", push.position.epoch);
  writer.number("offset", push.position.offset);
  writer.flag("positioned", push.positioned);
  writer.payload("data", push.data);
}
void write_members(const MessagePush& push, JsonWriter& writer) { writer.payload("data", push.data); }
void write_members(const ConnectPush& push, JsonWriter& writer) { write_members(push.result, writer); }
void write_members(const DisconnectReason& push, JsonWriter& writer) {
  writer.number("code", push.code);
  writer.text("reason", push.reason);
  writer.flag("reconnect", !push.final());
}
void write_members(const RefreshPush& push, JsonWriter& writer) {
  writer.flag("expires", push.expires);
  writer.number("ttl", push.ttl);
}

std::string_view field_of(const Push& push) {
  static constexpr std::array<std::string_view, 8> names{"join",    "leave",   "unsubscribe", "subscribe",
                                                         "message", "connect", "disconnect",  "refresh"};
  static_assert(names.size() == std::variant_size_v<decltype(Push::body)>);
  return names[push.body.index()];
}

// {"push":{"channel":"…",…}}, or {"channel":"…",…} alone.
template <class Members>
void write_push(std::string_view channel, std::int64_t number, Envelope envelope, JsonWriter& writer,
                Members&& members) {
  const auto body = [&] {
    writer.number("id", number);
    if (number == 0) writer.text("channel", channel);
    members();
  };
  writer.open();
  if (envelope == Envelope::reply)
    writer.object("push", body);
  else
    body();
  writer.close();
}

}  // namespace

void encode_json(const Reply& reply, std::string& out) {
  JsonWriter writer(out);
  writer.open();
  writer.number("id", reply.id);
  writer.object(field_of(reply),
                [&] { std::visit([&](const auto& body) { write_members(body, writer); }, reply.body); });
  writer.close();
}

void encode_json(const Push& push, Envelope envelope, std::string& out) {
  JsonWriter writer(out);
  write_push(push.channel, push.id, envelope, writer, [&] {
    writer.object(field_of(push),
                  [&] { std::visit([&](const auto& body) { write_members(body, writer); }, push.body); });
  });
}

void encode_json(const Delivery& delivery, const WireForm& form, std::string& out) {
  JsonWriter writer(out);
  write_push(delivery.channel(), form.compact ? delivery.channel_number() : 0, form.envelope, writer, [&] {
    writer.object("pub",
                  [&] { write_members(delivery.publication(), form.payload, delivery.previous().get(), writer); });
  });
}

}  // namespace fairlead::server::centrifuge

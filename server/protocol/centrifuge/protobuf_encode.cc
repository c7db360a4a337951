// SPDX-License-Identifier: Apache-2.0
#include "protocol/centrifuge/protobuf_encode.h"

#include "model/utf8.h"
#include "protocol/centrifuge/fossil.h"

#include <centrifuge_wire/client.pb.h>

namespace fairlead::server::centrifuge {

namespace {

// A `string` of Protobuf must be UTF-8, or readers refuse the whole message.
std::string text(const std::string& value) { return is_utf8(value) ? value : repaired_utf8(value); }

// ── Publications ────────────────────────────────────────────────────────────────────────────────────────────────────
void fill(const ClientInfo& in, wire::ClientInfo& out) {
  out.set_user(text(in.user));
  out.set_client(text(in.client));
  out.set_conn_info(in.conn_info);
  out.set_chan_info(in.chan_info);
}

void fill_data(const Publication& in, PayloadForm form, const Publication* previous, wire::Publication& out) {
  if (form == PayloadForm::delta && previous != nullptr) {
    std::string delta = fossil::create(previous->data, in.data);
    if (delta.size() < in.data.size()) {
      out.set_data(std::move(delta));
      out.set_delta(true);
      return;
    }
  }
  out.set_data(in.data);
}

void fill(const Publication& in, PayloadForm form, const Publication* previous, wire::Publication& out) {
  fill_data(in, form, previous, out);
  if (in.info) fill(*in.info, *out.mutable_info());
  out.set_offset(in.offset);
  for (const auto& [name, value] : in.tags) (*out.mutable_tags())[text(name)] = text(value);
  out.set_time(in.time_ms);
  out.set_key(text(in.key));
}

// Missed publications of a subscription with deltas: the first one whole, the others built on the one before them.
template <class Message>
void fill_publications(const std::vector<PublicationPtr>& publications, bool deltas, Message& out) {
  const Publication* previous = nullptr;
  for (const PublicationPtr& publication : publications) {
    fill(*publication, deltas ? PayloadForm::delta : PayloadForm::plain, previous, *out.add_publications());
    previous = publication.get();
  }
}

// ── Results ─────────────────────────────────────────────────────────────────────────────────────────────────────────
void fill_all_but_publications(const SubscribeResult& in, wire::SubscribeResult& out) {
  out.set_expires(in.expires);
  out.set_ttl(in.ttl);
  out.set_recoverable(in.recoverable);
  out.set_epoch(text(in.position.epoch));
  out.set_recovered(in.recovered);
  out.set_offset(in.position.offset);
  out.set_positioned(in.positioned);
  out.set_data(in.data);
  out.set_was_recovering(in.was_recovering);
  out.set_delta(in.delta);
  out.set_id(in.id);
}
void fill(const SubscribeResult& in, wire::SubscribeResult& out) {
  fill_all_but_publications(in, out);
  fill_publications(in.publications, in.delta, out);
}

// A reply's ConnectResult and a push's Connect have the same fields under other numbers.
template <class Message>
void fill_connect(const ConnectResult& in, Message& out) {
  out.set_client(text(in.client));
  out.set_version(text(in.version));
  out.set_expires(in.expires);
  out.set_ttl(in.ttl);
  out.set_data(in.data);
  for (const auto& [channel, subscription] : in.subs) fill(subscription, (*out.mutable_subs())[text(channel)]);
  out.set_ping(in.ping);
  out.set_pong(in.pong);
  out.set_session(text(in.session));
  out.set_node(text(in.node));
  out.set_time(in.time_ms);
}

void fill(const ClientError& in, wire::Reply& out) {
  out.mutable_error()->set_code(in.code);
  out.mutable_error()->set_message(text(in.message));
  out.mutable_error()->set_temporary(in.temporary);
}
void fill(const ConnectResult& in, wire::Reply& out) { fill_connect(in, *out.mutable_connect()); }
void fill(const SubscribeResult& in, wire::Reply& out) { fill(in, *out.mutable_subscribe()); }
void fill(const UnsubscribeResult&, wire::Reply& out) { out.mutable_unsubscribe(); }
void fill(const PublishResult&, wire::Reply& out) { out.mutable_publish(); }
void fill(const PresenceResult& in, wire::Reply& out) {
  auto& presence = *out.mutable_presence()->mutable_presence();
  for (const auto& [client, info] : in.presence) fill(info, presence[text(client)]);
}
void fill(const PresenceStatsResult& in, wire::Reply& out) {
  out.mutable_presence_stats()->set_num_clients(in.stats.clients);
  out.mutable_presence_stats()->set_num_users(in.stats.users);
}
void fill(const HistoryResult& in, wire::Reply& out) {
  fill_publications(in.publications, false, *out.mutable_history());
  out.mutable_history()->set_epoch(text(in.position.epoch));
  out.mutable_history()->set_offset(in.position.offset);
}
void fill(const RpcResult& in, wire::Reply& out) { out.mutable_rpc()->set_data(in.data); }
void fill(const RefreshResult& in, wire::Reply& out) {
  auto& refresh = *out.mutable_refresh();
  refresh.set_client(text(in.client));
  refresh.set_version(text(in.version));
  refresh.set_expires(in.expires);
  refresh.set_ttl(in.ttl);
}
void fill(const SubRefreshResult& in, wire::Reply& out) {
  out.mutable_sub_refresh()->set_expires(in.expires);
  out.mutable_sub_refresh()->set_ttl(in.ttl);
}

// ── Pushes ──────────────────────────────────────────────────────────────────────────────────────────────────────────
void fill(const JoinPush& in, wire::Push& out) { fill(in.info, *out.mutable_join()->mutable_info()); }
void fill(const LeavePush& in, wire::Push& out) { fill(in.info, *out.mutable_leave()->mutable_info()); }
void fill(const UnsubscribeReason& in, wire::Push& out) {
  out.mutable_unsubscribe()->set_code(in.code);
  out.mutable_unsubscribe()->set_reason(text(in.reason));
}
void fill(const SubscribePush& in, wire::Push& out) {
  auto& subscribe = *out.mutable_subscribe();
  subscribe.set_recoverable(in.recoverable);
  subscribe.set_epoch(text(in.position.epoch));
  subscribe.set_offset(in.position.offset);
  subscribe.set_positioned(in.positioned);
  subscribe.set_data(in.data);
}
void fill(const MessagePush& in, wire::Push& out) { out.mutable_message()->set_data(in.data); }
void fill(const ConnectPush& in, wire::Push& out) { fill_connect(in.result, *out.mutable_connect()); }
void fill(const DisconnectReason& in, wire::Push& out) {
  out.mutable_disconnect()->set_code(in.code);
  out.mutable_disconnect()->set_reason(text(in.reason));
  out.mutable_disconnect()->set_reconnect(!in.final());
}
void fill(const RefreshPush& in, wire::Push& out) {
  out.mutable_refresh()->set_expires(in.expires);
  out.mutable_refresh()->set_ttl(in.ttl);
}

void name_channel(const std::string& channel, std::int64_t number, wire::Push& out) {
  if (number != 0)
    out.set_id(number);
  else
    out.set_channel(text(channel));
}

// ── Frames ──────────────────────────────────────────────────────────────────────────────────────────────────────────
void append_varint(std::size_t value, std::string& out) {
  for (; value >= 0x80U; value >>= 7U) out.push_back(static_cast<char>(static_cast<unsigned char>(value | 0x80U)));
  out.push_back(static_cast<char>(value));
}

template <class Message>
void append_delimited(const Message& message, std::string& out) {
  append_varint(message.ByteSizeLong(), out);
  message.AppendToString(&out);
}

// What several have missed is written once, as the field that it is, and put behind the other fields of each answer:
// fields may come in any order.
void append_with_missed(std::uint32_t id, const SubscribeResult& result, std::string& out) {
  constexpr unsigned length_delimited = 2;
  const auto missed =
      result.missed->in_protobuf([](const std::vector<PublicationPtr>& publications, std::string& text) {
        wire::SubscribeResult alone;
        fill_publications(publications, false, alone);
        alone.AppendToString(&text);
      });
  wire::SubscribeResult other_fields;
  fill_all_but_publications(result, other_fields);
  wire::Reply head;
  head.set_id(id);
  std::string begin = head.SerializeAsString();
  append_varint(static_cast<unsigned>(wire::Reply::kSubscribeFieldNumber) << 3U | length_delimited, begin);
  append_varint(other_fields.ByteSizeLong() + missed.size(), begin);
  append_varint(begin.size() + other_fields.ByteSizeLong() + missed.size(), out);
  out += begin;
  other_fields.AppendToString(&out);
  out += missed;
}

template <class Fill>
void append_push(Envelope envelope, std::string& out, Fill&& fill_in) {
  if (envelope == Envelope::bare) {
    wire::Push push;
    fill_in(push);
    return append_delimited(push, out);
  }
  wire::Reply reply;
  fill_in(*reply.mutable_push());
  append_delimited(reply, out);
}

}  // namespace

void encode_protobuf(const Reply& reply, std::string& out) {
  const auto* subscribed = std::get_if<SubscribeResult>(&reply.body);
  if (subscribed != nullptr && subscribed->missed != nullptr) return append_with_missed(reply.id, *subscribed, out);
  wire::Reply message;
  message.set_id(reply.id);
  std::visit([&](const auto& body) { fill(body, message); }, reply.body);
  append_delimited(message, out);
}

void encode_protobuf(const Push& push, Envelope envelope, std::string& out) {
  append_push(envelope, out, [&](wire::Push& message) {
    name_channel(push.channel, push.id, message);
    std::visit([&](const auto& body) { fill(body, message); }, push.body);
  });
}

void encode_protobuf(const Delivery& delivery, const WireForm& form, std::string& out) {
  append_push(form.envelope, out, [&](wire::Push& message) {
    name_channel(delivery.channel(), form.compact ? delivery.channel_number() : 0, message);
    fill(delivery.publication(), form.payload, delivery.previous().get(), *message.mutable_pub());
  });
}

}  // namespace fairlead::server::centrifuge

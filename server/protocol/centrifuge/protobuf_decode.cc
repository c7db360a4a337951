// SPDX-License-Identifier: Apache-2.0
#include "protocol/centrifuge/protobuf_decode.h"

#include <centrifuge_wire/client.pb.h>
#include <google/protobuf/io/coded_stream.h>

#include <utility>

namespace fairlead::server::centrifuge {

namespace {

constexpr std::size_t longest_length = 5;  // bytes that the length of a message may take

template <class Message>
bool parse(Bytes bytes, std::size_t depth, Message& out) {
  const std::string_view text = as_text(bytes);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): char and uint8_t may alias any byte.
  const auto* data = reinterpret_cast<const std::uint8_t*>(text.data());
  google::protobuf::io::CodedInputStream input(data, static_cast<int>(text.size()));
  input.SetRecursionLimit(static_cast<int>(depth));
  return out.ParseFromCodedStream(&input) && input.ConsumedEntireMessage();
}

// Takes values out of parsed messages; counts what goes into maps and lists.
class Taker {
 public:
  explicit Taker(std::size_t entries) : entries_left_(entries) {}

  bool take(wire::ConnectRequest& in, ConnectRequest& out) {
    if (!spend(in.subs_size()) || !spend(in.headers_size())) return false;
    out.token = std::move(*in.mutable_token());
    out.data = std::move(*in.mutable_data());
    out.name = std::move(*in.mutable_name());
    out.version = std::move(*in.mutable_version());
    out.flag = in.flag();
    for (auto& [name, value] : *in.mutable_headers()) out.headers.emplace(name, std::move(value));
    for (auto& [channel, request] : *in.mutable_subs())
      if (!take(request, out.subs[channel])) return false;
    return true;
  }
  bool take(wire::SubscribeRequest& in, SubscribeRequest& out) {
    out.channel = std::move(*in.mutable_channel());
    out.token = std::move(*in.mutable_token());
    out.recover = in.recover();
    out.since = {in.offset(), std::move(*in.mutable_epoch())};
    out.data = std::move(*in.mutable_data());
    out.positioned = in.positioned();
    out.recoverable = in.recoverable();
    out.join_leave = in.join_leave();
    out.delta = std::move(*in.mutable_delta());
    out.flag = in.flag();
    out.type = in.type();
    return !in.has_tf() || take(*in.mutable_tf(), out.filter.emplace());
  }
  // As deep as the parser has let it be.
  bool take(wire::FilterNode& in, FilterNode& out) {
    if (!spend(in.vals_size()) || !spend(in.nodes_size())) return false;
    out.op = std::move(*in.mutable_op());
    out.key = std::move(*in.mutable_key());
    out.cmp = std::move(*in.mutable_cmp());
    out.val = std::move(*in.mutable_val());
    out.vals.reserve(static_cast<std::size_t>(in.vals_size()));
    for (auto& value : *in.mutable_vals()) out.vals.push_back(std::move(value));
    out.nodes.resize(static_cast<std::size_t>(in.nodes_size()));
    for (int index = 0; index < in.nodes_size(); ++index)
      if (!take(*in.mutable_nodes(index), out.nodes[static_cast<std::size_t>(index)])) return false;
    return true;
  }
  static bool take(wire::UnsubscribeRequest& in, UnsubscribeRequest& out) {
    out.channel = std::move(*in.mutable_channel());
    return true;
  }
  static bool take(wire::PublishRequest& in, PublishRequest& out) {
    out = {std::move(*in.mutable_channel()), std::move(*in.mutable_data()), in.type(), std::move(*in.mutable_key())};
    return true;
  }
  static bool take(wire::PresenceRequest& in, PresenceRequest& out) {
    out.channel = std::move(*in.mutable_channel());
    return true;
  }
  static bool take(wire::PresenceStatsRequest& in, PresenceStatsRequest& out) {
    out.channel = std::move(*in.mutable_channel());
    return true;
  }
  static bool take(wire::HistoryRequest& in, HistoryRequest& out) {
    out.channel = std::move(*in.mutable_channel());
    out.limit = in.limit();
    if (in.has_since()) out.since.emplace(in.since().offset(), std::move(*in.mutable_since()->mutable_epoch()));
    out.reverse = in.reverse();
    return true;
  }
  static bool take(wire::PingRequest&, PingRequest&) { return true; }
  static bool take(wire::SendRequest& in, SendRequest& out) {
    out.data = std::move(*in.mutable_data());
    return true;
  }
  static bool take(wire::RpcRequest& in, RpcRequest& out) {
    out = {std::move(*in.mutable_data()), std::move(*in.mutable_method())};
    return true;
  }
  static bool take(wire::RefreshRequest& in, RefreshRequest& out) {
    out.token = std::move(*in.mutable_token());
    return true;
  }
  static bool take(wire::SubRefreshRequest& in, SubRefreshRequest& out) {
    out = {std::move(*in.mutable_channel()), std::move(*in.mutable_token()), in.type()};
    return true;
  }

  // A client sets one body. When it sets more, the first in the protocol's order counts.
  bool take(wire::Command& in, Command& out) {
    out.id = in.id();
    if (in.has_connect()) return take(*in.mutable_connect(), out.body.emplace<ConnectRequest>());
    if (in.has_ping()) return take(*in.mutable_ping(), out.body.emplace<PingRequest>());
    if (in.has_subscribe()) return take(*in.mutable_subscribe(), out.body.emplace<SubscribeRequest>());
    if (in.has_unsubscribe()) return take(*in.mutable_unsubscribe(), out.body.emplace<UnsubscribeRequest>());
    if (in.has_publish()) return take(*in.mutable_publish(), out.body.emplace<PublishRequest>());
    if (in.has_presence()) return take(*in.mutable_presence(), out.body.emplace<PresenceRequest>());
    if (in.has_presence_stats()) return take(*in.mutable_presence_stats(), out.body.emplace<PresenceStatsRequest>());
    if (in.has_history()) return take(*in.mutable_history(), out.body.emplace<HistoryRequest>());
    if (in.has_rpc()) return take(*in.mutable_rpc(), out.body.emplace<RpcRequest>());
    if (in.has_send()) return take(*in.mutable_send(), out.body.emplace<SendRequest>());
    if (in.has_refresh()) return take(*in.mutable_refresh(), out.body.emplace<RefreshRequest>());
    if (in.has_sub_refresh()) return take(*in.mutable_sub_refresh(), out.body.emplace<SubRefreshRequest>());
    return true;
  }

 private:
  template <class Count>
  bool spend(Count entries) {
    const auto count = static_cast<std::size_t>(entries);
    if (count > entries_left_) return false;
    entries_left_ -= count;
    return true;
  }

  std::size_t entries_left_;
};

}  // namespace

std::optional<std::size_t> take_length(Bytes& rest) noexcept {
  std::uint64_t length = 0;
  for (std::size_t at = 0; at < longest_length && at < rest.size(); ++at) {
    const auto byte = std::to_integer<std::uint64_t>(rest[at]);
    length |= (byte & 0x7FU) << (7 * at);
    if (byte >= 0x80U) continue;
    if ((at > 0 && byte == 0) || length > rest.size() - at - 1) return std::nullopt;
    rest = rest.subspan(at + 1);
    return static_cast<std::size_t>(length);
  }
  return std::nullopt;
}

std::optional<std::vector<Command>> decode_protobuf(Bytes frame, const CodecLimits& limits) {
  if (frame.empty()) return std::nullopt;
  std::vector<Command> commands;
  Taker taker(limits.entries);
  wire::Command message;
  while (!frame.empty()) {
    const auto length = take_length(frame);
    if (!length || commands.size() == limits.commands) return std::nullopt;
    message.Clear();
    if (!parse(frame.first(*length), limits.depth, message)) return std::nullopt;
    if (!taker.take(message, commands.emplace_back())) return std::nullopt;
    frame = frame.subspan(*length);
  }
  return commands;
}

std::optional<EmulationRequest> decode_protobuf_emulation(Bytes body, const CodecLimits& limits) {
  wire::EmulationRequest message;
  if (!parse(body, limits.depth, message)) return std::nullopt;
  return EmulationRequest{std::move(*message.mutable_node()), std::move(*message.mutable_session()),
                          std::move(*message.mutable_data())};
}

}  // namespace fairlead::server::centrifuge

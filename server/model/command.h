// SPDX-License-Identifier: Apache-2.0
// The client protocol's messages as values, without a wire format: what a client asks (Command), what it is answered
// (Reply) and what it is told unasked (Push). Names and meanings are those of the Centrifuge client protocol.
#pragma once

#include "model/codes.h"
#include "model/filter.h"
#include "model/missed.h"
#include "model/publication.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fairlead::server {

// ── What a client asks ──────────────────────────────────────────────────────────────────────────────────────────────
// Bits of SubscribeRequest::flag.
inline constexpr std::int64_t flag_channel_compaction = 1;  // pushes may name the channel by a number
inline constexpr std::int64_t flag_reject_unrecovered = 2;  // error 112 instead of a subscription with a gap

struct SubscribeRequest {
  std::string channel;
  std::string token;
  bool recover = false;
  StreamPosition since;  // where it left off, when `recover`
  Payload data;
  bool positioned = false, recoverable = false, join_leave = false;  // asked for; granted by permission
  std::string delta;                                                 // "fossil" or empty
  std::optional<FilterNode> filter;
  std::int64_t flag = 0;
  std::int32_t type = 0;  // 0: a stream, the only type that is served
  friend bool operator==(const SubscribeRequest&, const SubscribeRequest&) = default;
};
struct ConnectRequest {
  std::string token;
  Payload data;
  std::map<std::string, SubscribeRequest> subs;  // recovery positions of server-side subscriptions
  std::string name, version;
  std::map<std::string, std::string> headers;  // emulated by the client: untrusted
  std::int64_t flag = 0;
  friend bool operator==(const ConnectRequest&, const ConnectRequest&) = default;
};
struct UnsubscribeRequest {
  std::string channel;
  friend bool operator==(const UnsubscribeRequest&, const UnsubscribeRequest&) = default;
};
struct PublishRequest {
  std::string channel;
  Payload data;
  std::int32_t type = 0;
  std::string key;
  friend bool operator==(const PublishRequest&, const PublishRequest&) = default;
};
struct PresenceRequest {
  std::string channel;
  friend bool operator==(const PresenceRequest&, const PresenceRequest&) = default;
};
struct PresenceStatsRequest {
  std::string channel;
  friend bool operator==(const PresenceStatsRequest&, const PresenceStatsRequest&) = default;
};
struct HistoryRequest {
  std::string channel;
  std::int32_t limit = 0;               // 0: only the position; negative: as many as the server allows
  std::optional<StreamPosition> since;  // exclusive
  bool reverse = false;
  friend bool operator==(const HistoryRequest&, const HistoryRequest&) = default;
};
struct PingRequest {
  friend bool operator==(const PingRequest&, const PingRequest&) = default;
};
struct SendRequest {
  Payload data;
  friend bool operator==(const SendRequest&, const SendRequest&) = default;
};
struct RpcRequest {
  Payload data;
  std::string method;
  friend bool operator==(const RpcRequest&, const RpcRequest&) = default;
};
struct RefreshRequest {
  std::string token;
  friend bool operator==(const RefreshRequest&, const RefreshRequest&) = default;
};
struct SubRefreshRequest {
  std::string channel, token;
  std::int32_t type = 0;
  friend bool operator==(const SubRefreshRequest&, const SubRefreshRequest&) = default;
};

struct Command {
  std::uint32_t id = 0;
  // monostate: nothing was set. With id 0 that is a pong.
  std::variant<std::monostate, ConnectRequest, PingRequest, SubscribeRequest, UnsubscribeRequest, PublishRequest,
               PresenceRequest, PresenceStatsRequest, HistoryRequest, RpcRequest, SendRequest, RefreshRequest,
               SubRefreshRequest>
      body;
  [[nodiscard]] bool is_pong() const noexcept { return id == 0 && std::holds_alternative<std::monostate>(body); }
  friend bool operator==(const Command&, const Command&) = default;
};

// ── What it is answered ─────────────────────────────────────────────────────────────────────────────────────────────
struct SubscribeResult {
  bool expires = false;
  std::uint32_t ttl = 0;  // seconds
  bool recoverable = false, recovered = false, positioned = false, was_recovering = false, delta = false;
  StreamPosition position;
  std::vector<PublicationPtr> publications;  // missed ones, oldest first
  std::shared_ptr<const Missed> missed;      // exactly these, when others are told them as well; not with deltas
  Payload data;
  std::int64_t id = 0;  // > 0: pushes name the channel by this number
};
struct ConnectResult {
  std::string client, version;
  bool expires = false;
  std::uint32_t ttl = 0;
  Payload data;
  std::map<std::string, SubscribeResult> subs;
  std::uint32_t ping = 0;     // seconds between the server's pings
  bool pong = false;          // whether it wants an answer
  std::string session, node;  // for emulated transports
  std::int64_t time_ms = 0;
};
struct UnsubscribeResult {};
struct PublishResult {};
struct PresenceResult {
  Presence presence;
};
struct PresenceStatsResult {
  PresenceStats stats;
};
struct HistoryResult {
  std::vector<PublicationPtr> publications;
  StreamPosition position;  // the stream's top
};
struct RpcResult {
  Payload data;
};
struct RefreshResult {
  std::string client, version;
  bool expires = false;
  std::uint32_t ttl = 0;
};
struct SubRefreshResult {
  bool expires = false;
  std::uint32_t ttl = 0;
};

// Always written with its field, also when empty: SDKs look for it.
struct Reply {
  std::uint32_t id = 0;
  std::variant<ClientError, ConnectResult, SubscribeResult, UnsubscribeResult, PublishResult, PresenceResult,
               PresenceStatsResult, HistoryResult, RpcResult, RefreshResult, SubRefreshResult>
      body;
};

// ── What it is told unasked ─────────────────────────────────────────────────────────────────────────────────────────
struct JoinPush {
  ClientInfo info;
};
struct LeavePush {
  ClientInfo info;
};
struct SubscribePush {  // a subscription that the server made
  bool recoverable = false, positioned = false;
  StreamPosition position;
  Payload data;
};
struct MessagePush {
  Payload data;
};
struct RefreshPush {
  bool expires = false;
  std::uint32_t ttl = 0;
};
struct ConnectPush {  // the first message of a unidirectional transport
  ConnectResult result;
};
// Publications do not travel as this: they are encoded once for many, see hub/delivery.h.
struct Push {
  std::string channel;
  std::int64_t id = 0;  // > 0: stands for the channel, whose name is then left out
  std::variant<JoinPush, LeavePush, UnsubscribeReason, SubscribePush, MessagePush, ConnectPush, DisconnectReason,
               RefreshPush>
      body;
};

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
// What the HTTP API, the metrics and the admin pages can do to the node and ask of it. The composition root implements
// it; nobody else knows how the loops, the engine and the sessions hang together.
//
// Threads: every call may come from any thread and does not block. `answered` is called exactly once, on any thread,
// perhaps before the call returns. Where a session must be reached, "done" means that every loop has been told.
// Channel names come as the caller wrote them: whether a namespace knows them (102) is decided here, not by the API.
#pragma once

#include "auth/backend.h"
#include "broker/event_log.h"
#include "metrics/prometheus.h"
#include "metrics/trace.h"
#include "model/codes.h"
#include "model/fault.h"
#include "model/publication.h"

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::server {

template <class T>
using Answer = std::expected<T, ClientError>;
template <class T>
using Answered = std::function<void(Answer<T>)>;  // exactly once

namespace api_error {
// The API's own meaning of 113; clients of the protocol read that number as "concurrent pagination".
inline const ClientError conflict{113, "conflict", false};
}  // namespace api_error

// What a caller of the API is told of a fault: the code alone, the sentence is for the log. `invalid` → 107,
// `unsupported` → 108, all others → 100.
[[nodiscard]] ClientError client_error_of(const Fault& fault);

// ── What is asked ───────────────────────────────────────────────────────────────────────────────────────────────────
// All of a user's connections, or one of them. `user` may be empty only together with a client or a session.
struct Whom {
  std::string user, client, session;
};
struct PublishCall {
  Payload data;
  bool json = true;  // `data` is one valid JSON value without raw line breaks
  bool skip_history = false, delta = false;
  std::map<std::string, std::string> tags;
  std::string key;              // for conflation
  std::string idempotency_key;  // of the channel, for five minutes
  std::uint64_t version = 0;    // > 0: dropped unless it is newer
  std::string version_epoch;
};
struct SubscribeCall {
  Whom whom;
  std::string channel;
  ServerSubscription subscription;
  std::optional<StreamPosition> recover_since;
};
struct UnsubscribeCall {
  Whom whom;
  std::string channel;
  UnsubscribeReason reason = unsubscribe_reason::server;
};
struct DisconnectCall {
  Whom whom;
  std::vector<std::string> whitelist;  // clients that stay
  DisconnectReason reason = disconnect_reason::force_disconnect;
};
struct RefreshCall {
  Whom whom;
  RefreshAnswer answer;
};
struct HistoryCall {
  std::string channel;
  std::int32_t limit = 0;               // 0: only the position; negative: as many as the node allows
  std::optional<StreamPosition> since;  // exclusive; of another epoch: 112
  bool reverse = false;
};
struct ConnectionsCall {
  std::string user, client;  // empty: any
  std::string channel;       // empty: any; else those that are subscribed to it
  std::size_t limit = 1'000;
};
struct RpcCall {
  std::string method;
  Payload params;
};
struct RevokeTokenCall {
  std::string id;              // jti
  std::int64_t expire_at = 0;  // Unix seconds when the entry may be forgotten; 0: the node's longest
};
struct InvalidateUserTokensCall {
  std::string user;
  std::int64_t issued_before = 0;  // Unix seconds; 0: now
  std::int64_t expire_at = 0;      // as above
};

// ── What is answered ────────────────────────────────────────────────────────────────────────────────────────────────
struct ChannelSummary {
  std::uint32_t num_clients = 0;
};
struct HistoryAnswer {
  std::vector<PublicationPtr> publications;
  StreamPosition position;  // the stream's top
};
struct ProcessInfo {
  double cpu_percent = 0;
  std::uint64_t resident_bytes = 0;
};
struct NodeInfo {
  std::string uid, name, version;
  std::uint32_t num_clients = 0, num_users = 0, num_channels = 0, num_subs = 0;
  std::uint64_t uptime_seconds = 0;
  std::map<std::string, double> metrics;
  ProcessInfo process;
};
struct ConnectionInfo {
  std::string client, user, transport, protocol, peer_ip;
  std::int64_t connected_at_ms = 0;  // Unix time
  std::vector<std::string> channels;
};
struct Connections {
  std::vector<ConnectionInfo> connections;
  bool more = false;  // the limit cut the list
};
// Of this node, for the overview.
struct NodeStats {
  std::uint64_t connections = 0, users = 0, channels = 0, subscriptions = 0;
  std::uint64_t messages_in = 0, messages_out = 0, bytes_in = 0, bytes_out = 0;  // since the start
  std::uint64_t resident_bytes = 0;
  std::uint64_t uptime_seconds = 0;
  std::optional<double> publish_seconds_p50, publish_seconds_p99;  // from the call to the last session's outbox
};

class Control {
 public:
  virtual ~Control() = default;

  // ── Channels ──────────────────────────────────────────────────────────────────────────────────────────────────────
  virtual void publish(const std::string& channel, PublishCall call, Answered<StreamPosition> answered) = 0;
  // One answer for each channel, in their order. The call itself does not fail.
  virtual void broadcast(std::vector<std::string> channels, PublishCall call,
                         Answered<std::vector<Answer<StreamPosition>>> answered) = 0;
  virtual void presence(const std::string& channel, Answered<Presence> answered) = 0;
  virtual void presence_stats(const std::string& channel, Answered<PresenceStats> answered) = 0;
  virtual void history(HistoryCall call, Answered<HistoryAnswer> answered) = 0;
  virtual void history_remove(const std::string& channel, Answered<void> answered) = 0;
  // Those with a subscriber whose name matches the glob; empty: all.
  virtual void channels(const std::string& pattern, Answered<std::map<std::string, ChannelSummary>> answered) = 0;

  // ── Connections ───────────────────────────────────────────────────────────────────────────────────────────────────
  virtual void subscribe(SubscribeCall call, Answered<void> answered) = 0;
  virtual void unsubscribe(UnsubscribeCall call, Answered<void> answered) = 0;
  virtual void disconnect(DisconnectCall call, Answered<void> answered) = 0;
  virtual void refresh(RefreshCall call, Answered<void> answered) = 0;
  virtual void connections(ConnectionsCall call, Answered<Connections> answered) = 0;

  // ── Trust ─────────────────────────────────────────────────────────────────────────────────────────────────────────
  virtual void revoke_token(RevokeTokenCall call, Answered<void> answered) = 0;
  virtual void invalidate_user_tokens(InvalidateUserTokensCall call, Answered<void> answered) = 0;

  // ── The node ──────────────────────────────────────────────────────────────────────────────────────────────────────
  virtual void rpc(RpcCall call, Answered<Payload> answered) = 0;  // as a client's; 108 when nothing answers it
  virtual void info(Answered<std::vector<NodeInfo>> answered) = 0;
  virtual void why(TraceQuery query, Answered<TraceAnswer> answered) = 0;
  // 108 when the event log is off.
  virtual void events(std::uint64_t after, std::size_t limit, Answered<LifecycleEvents> answered) = 0;
  virtual void acknowledge_events(std::uint64_t sequence, Answered<void> answered) = 0;
  virtual void stats(Answered<NodeStats> answered) = 0;
  virtual void metrics(Answered<std::vector<MetricFamily>> answered) = 0;
  // New clients are welcome: false before the start has ended and while it drains. Thread-safe, at once.
  [[nodiscard]] virtual bool ready() const noexcept = 0;
};

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
// What the HTTP API, the metrics and the admin pages ask of the node (api/control.h).
#pragma once

#include "api/control.h"
#include "app/node.h"
#include "auth/revocations.h"

#include <fairlead/server.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::server {

class NodeControl final : public Control {
 public:
  // `library`: the counters of the server below. `more_metrics`: families of others, such as the webhooks.
  NodeControl(Node& node, Revocations& revocations, Backend& backend, std::function<ServerStats()> library,
              std::function<std::vector<MetricFamily>()> more_metrics);

  void publish(const std::string& channel, PublishCall call, Answered<StreamPosition> answered) override;
  void broadcast(std::vector<std::string> channels, PublishCall call,
                 Answered<std::vector<Answer<StreamPosition>>> answered) override;
  void presence(const std::string& channel, Answered<Presence> answered) override;
  void presence_stats(const std::string& channel, Answered<PresenceStats> answered) override;
  void history(HistoryCall call, Answered<HistoryAnswer> answered) override;
  void history_remove(const std::string& channel, Answered<void> answered) override;
  void channels(const std::string& pattern, Answered<std::map<std::string, ChannelSummary>> answered) override;

  void subscribe(SubscribeCall call, Answered<void> answered) override;
  void unsubscribe(UnsubscribeCall call, Answered<void> answered) override;
  void disconnect(DisconnectCall call, Answered<void> answered) override;
  void refresh(RefreshCall call, Answered<void> answered) override;
  void connections(ConnectionsCall call, Answered<Connections> answered) override;

  void revoke_token(RevokeTokenCall call, Answered<void> answered) override;
  void invalidate_user_tokens(InvalidateUserTokensCall call, Answered<void> answered) override;

  void rpc(RpcCall call, Answered<Payload> answered) override;
  void info(Answered<std::vector<NodeInfo>> answered) override;
  void why(TraceQuery query, Answered<TraceAnswer> answered) override;
  void events(std::uint64_t after, std::size_t limit, Answered<LifecycleEvents> answered) override;
  void acknowledge_events(std::uint64_t sequence, Answered<void> answered) override;
  void stats(Answered<NodeStats> answered) override;
  void metrics(Answered<std::vector<MetricFamily>> answered) override;
  [[nodiscard]] bool ready() const noexcept override { return node_.ready(); }

 private:
  // What all loops have together, counted on each.
  struct Counted {
    SessionMetrics sessions;
    std::uint64_t connections = 0, subscriptions = 0;
  };
  void count(std::function<void(const Counted&)> done);
  // Runs `work` on every session that is meant, and answers when all loops have been told.
  void on_sessions(const Whom& whom, std::function<void(Session&)> work, Answered<void> answered);
  void end_revoked(Answered<void> answered);

  Node& node_;
  Revocations& revocations_;
  Backend& backend_;
  std::function<ServerStats()> library_;
  std::function<std::vector<MetricFamily>()> more_metrics_;
};

}  // namespace fairlead::server

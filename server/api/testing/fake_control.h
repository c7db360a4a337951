// SPDX-License-Identifier: Apache-2.0
// A node for tests: remembers what it was asked and answers what it was told to, at once or when `release` is called.
#pragma once

#include "api/control.h"

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::server::testing {

class FakeControl : public Control {
 public:
  // ── What it was asked ─────────────────────────────────────────────────────────────────────────────────────────────
  std::vector<std::string> asked;  // "publish news", in order
  PublishCall published;
  std::vector<std::string> channels_broadcast;
  SubscribeCall subscribed;
  UnsubscribeCall unsubscribed;
  DisconnectCall disconnected;
  RefreshCall refreshed;
  HistoryCall read_history;
  ConnectionsCall listed;
  RpcCall called;
  TraceQuery traced;
  RevokeTokenCall revoked;
  InvalidateUserTokensCall invalidated;
  std::uint64_t events_after = 0, acknowledged = 0;
  std::size_t events_limit = 0;

  // ── What it answers ───────────────────────────────────────────────────────────────────────────────────────────────
  std::optional<ClientError> error;  // to everything
  bool hold = false;                 // answers wait for `release`
  bool is_ready = true;
  StreamPosition position{7, "abcd"};
  Presence members;
  HistoryAnswer stream;
  Connections clients;
  std::vector<NodeInfo> nodes;
  Payload rpc_data = "{}";
  TraceAnswer trace;
  LifecycleEvents log;
  NodeStats node_stats;
  std::vector<MetricFamily> families;

  // Answers what waits, oldest first; how many there were.
  std::size_t release() {
    std::vector<std::function<void()>> waiting;
    {
      const std::scoped_lock lock(mutex_);
      waiting.swap(waiting_);
    }
    for (auto& answer : waiting) answer();
    return waiting.size();
  }

  void publish(const std::string& channel, PublishCall call, Answered<StreamPosition> answered) override {
    published = std::move(call);
    answer("publish " + channel, position, std::move(answered));
  }
  void broadcast(std::vector<std::string> channels, PublishCall call,
                 Answered<std::vector<Answer<StreamPosition>>> answered) override {
    published = std::move(call);
    channels_broadcast = std::move(channels);
    std::vector<Answer<StreamPosition>> answers(channels_broadcast.size(), position);
    if (!answers.empty()) answers.back() = std::unexpected(client_error::unknown_channel);
    answer("broadcast", std::move(answers), std::move(answered));
  }
  void presence(const std::string& channel, Answered<Presence> answered) override {
    answer("presence " + channel, members, std::move(answered));
  }
  void presence_stats(const std::string& channel, Answered<PresenceStats> answered) override {
    answer("presence_stats " + channel, PresenceStats{2, 1}, std::move(answered));
  }
  void history(HistoryCall call, Answered<HistoryAnswer> answered) override {
    read_history = std::move(call);
    answer("history " + read_history.channel, stream, std::move(answered));
  }
  void history_remove(const std::string& channel, Answered<void> answered) override {
    answer("history_remove " + channel, std::move(answered));
  }
  void channels(const std::string& pattern, Answered<std::map<std::string, ChannelSummary>> answered) override {
    answer("channels " + pattern, std::map<std::string, ChannelSummary>{{"news", {3}}}, std::move(answered));
  }
  void subscribe(SubscribeCall call, Answered<void> answered) override {
    subscribed = std::move(call);
    answer("subscribe " + subscribed.channel, std::move(answered));
  }
  void unsubscribe(UnsubscribeCall call, Answered<void> answered) override {
    unsubscribed = std::move(call);
    answer("unsubscribe " + unsubscribed.channel, std::move(answered));
  }
  void disconnect(DisconnectCall call, Answered<void> answered) override {
    disconnected = std::move(call);
    answer("disconnect " + disconnected.whom.user, std::move(answered));
  }
  void refresh(RefreshCall call, Answered<void> answered) override {
    refreshed = std::move(call);
    answer("refresh " + refreshed.whom.user, std::move(answered));
  }
  void connections(ConnectionsCall call, Answered<Connections> answered) override {
    listed = std::move(call);
    answer("connections", clients, std::move(answered));
  }
  void revoke_token(RevokeTokenCall call, Answered<void> answered) override {
    revoked = std::move(call);
    answer("revoke_token " + revoked.id, std::move(answered));
  }
  void invalidate_user_tokens(InvalidateUserTokensCall call, Answered<void> answered) override {
    invalidated = std::move(call);
    answer("invalidate_user_tokens " + invalidated.user, std::move(answered));
  }
  void rpc(RpcCall call, Answered<Payload> answered) override {
    called = std::move(call);
    answer("rpc " + called.method, rpc_data, std::move(answered));
  }
  void info(Answered<std::vector<NodeInfo>> answered) override { answer("info", nodes, std::move(answered)); }
  void why(TraceQuery query, Answered<TraceAnswer> answered) override {
    traced = std::move(query);
    answer("trace", trace, std::move(answered));
  }
  void events(std::uint64_t after, std::size_t limit, Answered<LifecycleEvents> answered) override {
    events_after = after;
    events_limit = limit;
    answer("events", log, std::move(answered));
  }
  void acknowledge_events(std::uint64_t sequence, Answered<void> answered) override {
    acknowledged = sequence;
    answer("events_acknowledge", std::move(answered));
  }
  void stats(Answered<NodeStats> answered) override { answer("stats", node_stats, std::move(answered)); }
  void metrics(Answered<std::vector<MetricFamily>> answered) override {
    answer("metrics", families, std::move(answered));
  }
  [[nodiscard]] bool ready() const noexcept override { return is_ready; }

  // Every answer has all of its fields.
  void fill() {
    const ClientInfo ann{"ann", "c1", R"({"n":1})", R"("b")"};
    const ClientInfo bytes{"bob", "c2", "\xff", "\xfe"};
    members = {{"c1", ann}, {"c2", bytes}};
    auto full = std::make_shared<Publication>();
    *full = {R"({"a":1})", true, std::make_shared<ClientInfo>(ann), 5, {{"t", "v"}}, 1'700'000'000'000, "k", 9};
    auto binary = std::make_shared<Publication>();
    binary->data = "\xff";
    binary->json = false;
    stream = {{full, binary}, position};
    clients = {{{"c1", "ann", "websocket", "json", "127.0.0.1", 1'700'000'000'000, {"news"}}}, true};
    nodes = {{"u", "n", "1.0", 1, 2, 3, 4, 5, {{"connects", 6}}, {7.5, 8}}};
    trace = {"filtered",
             "The filter did not match.",
             {{1, TraceKind::filtered, "c1", "ann", "news", 5, 3, "tag"},
              {1, TraceKind::recovered, "c1", "ann", "news", 5, 0, "", 2},
              {1, TraceKind::slow, "c1", "ann", "", 0, 3008, "", 0, 1}},
             "c1"};
    log = {{{3, 4, "disconnected", "c1", "ann", "news", 3000, "closed"}}, 3, 2, 1};
  }

 private:
  template <class T>
  void answer(std::string what, T value, Answered<T> answered) {
    asked.push_back(std::move(what));
    deliver([this, value = std::move(value), answered = std::move(answered)] {
      answered(error ? Answer<T>(std::unexpected(*error)) : Answer<T>(value));
    });
  }
  void answer(std::string what, Answered<void> answered) {
    asked.push_back(std::move(what));
    deliver([this, answered = std::move(answered)] {
      answered(error ? Answer<void>(std::unexpected(*error)) : Answer<void>());
    });
  }
  void deliver(std::function<void()> call) {
    if (!hold) return call();
    const std::scoped_lock lock(mutex_);
    waiting_.push_back(std::move(call));
  }

  std::mutex mutex_;  // only what waits is asked for on one thread and released on another
  std::vector<std::function<void()>> waiting_;
};

}  // namespace fairlead::server::testing

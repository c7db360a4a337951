// SPDX-License-Identifier: Apache-2.0
// A world for sessions to be tested in, without sockets, threads and clocks: an engine whose answers and events come at
// once or when the test lets them, a gatekeeper that says what it was told to, and clients that write down what they
// are told.
#pragma once

#include "session/session.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::server::testing {

// Virtual time, and what is to happen in it. Without a delay a task is done at once.
class Timeline {
 public:
  [[nodiscard]] TimePoint now() const noexcept { return now_; }
  void after(Duration delay, std::function<void()> task);
  void at(TimePoint moment, std::function<void()> task);
  // Does what is due until then, in order.
  void advance_to(TimePoint moment);
  void advance(Duration time) { advance_to(now_ + time); }
  [[nodiscard]] std::size_t pending() const noexcept { return tasks_.size(); }

 private:
  TimePoint now_{std::chrono::hours(1)};
  std::multimap<TimePoint, std::function<void()>> tasks_;
};

// Keeps streams in memory as an engine does. `delay` says how long each answer and each event takes; events of one
// channel keep their order.
class TestBroker final : public Broker {
 public:
  explicit TestBroker(Timeline& timeline) : timeline_(timeline) {}
  std::function<Duration()> delay = [] { return Duration::zero(); };
  std::function<Duration(const PublishOptions&)> publish_delay;  // instead of it, for publications and their events
  BrokerEvents* events = nullptr;
  bool broken = false;                      // every answer is a fault
  std::function<bool()> loses_event;        // true: the next event never arrives
  std::vector<std::string> presence_calls;  // "+news c1", "-news c1"

  [[nodiscard]] Outcome<void> start(BrokerEvents& to) override;
  void stop() override {}
  [[nodiscard]] std::string_view name() const noexcept override { return "test"; }
  void subscribe(const std::string& channel, Done<void> done) override;
  void unsubscribe(const std::string& channel, Done<void> done) override;
  void publish(const std::string& channel, Publication publication, PublishOptions options,
               Done<PublishOutcome> done) override;
  void publish_join(const std::string& channel, ClientInfo info, Done<void> done) override;
  void publish_leave(const std::string& channel, ClientInfo info, Done<void> done) override;
  void history(const std::string& channel, HistoryQuery query, Done<History> done) override;
  void remove_history(const std::string& channel, Done<void> done) override;
  void latest(const std::string& channel, Done<PublicationPtr> done) override;
  void add_presence(const std::string& channel, ClientInfo info, std::chrono::milliseconds ttl,
                    Done<void> done) override;
  void remove_presence(const std::string& channel, const std::string& client, Done<void> done) override;
  void presence(const std::string& channel, Done<Presence> done) override;
  void presence_stats(const std::string& channel, Done<PresenceStats> done) override;

  // The stream begins anew, with another epoch.
  void forget(const std::string& channel);
  [[nodiscard]] StreamPosition top(const std::string& channel) { return stream(channel).top; }
  [[nodiscard]] bool is_subscribed(const std::string& channel) const { return subscribed_.contains(channel); }

 private:
  struct Stream {
    StreamPosition top;
    std::deque<PublicationPtr> kept;
    PublicationPtr latest;
    Presence presence;
    TimePoint last_event{};
  };
  Stream& stream(const std::string& channel);
  void tell(const std::string& channel, std::function<void(BrokerEvents&)> event,
            const PublishOptions* published = nullptr);
  template <class T>
  void answer(Done<T> done, Outcome<T> outcome, const PublishOptions* published = nullptr);
  [[nodiscard]] Duration delay_of(const PublishOptions* published) const {
    return published != nullptr && publish_delay ? publish_delay(*published) : delay();
  }

  Timeline& timeline_;
  std::map<std::string, Stream> streams_;
  std::set<std::string> subscribed_;
  int epochs_ = 0;
};

// Says yes to everything, unless it was told otherwise.
class TestGate final : public Gatekeeper {
 public:
  Verdict<Admitted> admitted = Admitted{"ann", 0, false, "", 0, "", "", "", {}, {}};
  ChannelOptions options;                            // of all channels but…
  std::map<std::string, ChannelOptions> options_of;  // …these
  std::map<std::string, Verdict<Granted>> grants;    // by channel, instead of the options
  std::map<std::string, Verdict<PublishAnswer>> publications;
  Verdict<Admitted> refreshed = client_error::internal;
  Verdict<Granted> sub_refreshed = client_error::internal;
  Verdict<RpcAnswer> rpc_answer = client_error::not_available;
  bool may_read_history = true, may_read_presence = true;
  std::set<std::string> unknown;
  bool waits = false;  // verdicts come when the test says so
  std::deque<std::function<void()>> waiting;
  std::vector<std::string> asked;
  void let_one_go();

  void connect(const Caller& who, const ConnectRequest& request, Judged<Admitted> judged) override;
  void refresh(const Caller& who, const Admitted& admitted, const RefreshRequest& request,
               Judged<Admitted> judged) override;
  void refresh_by_backend(const Caller& who, const Admitted& admitted, Judged<Admitted> judged) override;
  void subscribe(const Caller& who, const Admitted& admitted, const SubscribeRequest& request,
                 Judged<Granted> judged) override;
  void sub_refresh(const Caller& who, const Admitted& admitted, const Granted& granted,
                   const SubRefreshRequest& request, Judged<Granted> judged) override;
  void publish(const Caller& who, const Admitted& admitted, const PublishRequest& request, bool subscribed,
               Judged<PublishAnswer> judged) override;
  void rpc(const Caller& who, const Admitted& admitted, const RpcRequest& request, Judged<RpcAnswer> judged) override;
  std::variant<ChannelOptions, ClientError> presence(const Admitted& admitted, const std::string& channel,
                                                     bool subscribed) override;
  std::variant<ChannelOptions, ClientError> history(const Admitted& admitted, const std::string& channel,
                                                    bool subscribed) override;
  std::variant<Granted, ClientError> server_subscription(const std::string& channel,
                                                         const ServerSubscription& subscription) override;

 private:
  template <class T>
  void answer(Judged<T> judged, Verdict<T> verdict);
  [[nodiscard]] const ChannelOptions& of(const std::string& channel) const;
};

class TestEventLog final : public EventLog {
 public:
  void append_all(std::vector<LifecycleEvent> events, Done<std::uint64_t> done) override;
  void read(std::uint64_t after, std::size_t limit, Done<LifecycleEvents> done) override;
  void acknowledge(std::uint64_t sequence, Done<void> done) override;
  std::vector<std::string> lines;  // "subscribed news", "disconnected 3501"
};

// The node, as far as one loop needs it.
class World final : public BrokerEvents, public ChannelInterest, public SessionDirectory, public PublicationEncoder {
 public:
  World();
  Timeline timeline;
  TestBroker broker{timeline};
  TestGate gate;
  Hub hub;
  TestEventLog events;
  TraceRing trace;
  SessionMetrics metrics;
  SessionSettings settings;  // for sessions that are made from now on
  std::set<Session*> connected;
  std::size_t connections_allowed = 1'000;
  std::set<UserOperation> exhausted;  // of the user, over all connections
  double random = 0.5;

  [[nodiscard]] SessionEnvironment& environment();
  void advance(std::chrono::milliseconds time) { timeline.advance(time); }
  [[nodiscard]] std::int64_t wall_seconds() const;
  // By the server itself, past all gates.
  void publish(const std::string& channel, const std::string& data, std::map<std::string, std::string> tags = {},
               const std::string& key = {});

  void on_publication(const std::string& channel, PublicationPtr publication, const StreamPosition& position,
                      PublicationPtr previous) override;
  void on_join(const std::string& channel, const ClientInfo& info) override;
  void on_leave(const std::string& channel, const ClientInfo& info) override;
  void want(const std::string& channel, Done<void> done) override;
  void unwant(const std::string& channel) override;
  std::int64_t number_of(const std::string& channel) override;
  bool entered(Session& session) override;
  void left(Session& session) override;
  bool take_of_user(const std::string& user, UserOperation operation, double per_second) override;
  [[nodiscard]] SharedMessage encode(const Delivery& delivery, const WireForm& form) const override;

 private:
  struct Interest {
    bool active = false;
    std::vector<Done<void>> waiting;
  };
  [[nodiscard]] ChannelOptions options_for(const std::string& channel) const;
  std::map<std::string, std::shared_ptr<Interest>> interests_;
  std::map<std::string, std::int64_t> numbers_;
  std::unique_ptr<SessionEnvironment> environment_;
  int ids_ = 0;
};

// A client and its transport. What it is told is written down, one line each:
//   "1:subscribe", "2:error 105", "pub news#3 data" ("=data": the full text of a delta base, "~data": a delta),
//   "join news c2", "unsubscribe news 2500", "ping", "disconnect 3501"
class TestClient final : public Outbox {
 public:
  explicit TestClient(World& world, Session::Options options = {}, WireFormat format = WireFormat::json);
  ~TestClient() override;
  std::shared_ptr<Session> session;
  std::vector<std::string> log;
  std::vector<Reply> replies;
  std::vector<Push> pushes;
  std::size_t queued = 0;             // what the session is told about the queue
  std::size_t bytes_per_message = 0;  // by which it grows
  int changes = 0;                    // session_changed
  bool over = false;                  // disconnected

  // Commands of one frame.
  template <class... Bodies>
  void say(Bodies... bodies) {
    std::vector<Command> commands;
    (commands.push_back(Command{next_id_++, std::move(bodies)}), ...);
    session->receive(std::move(commands), world_.timeline.now());
  }
  void pong() { session->receive({Command{}}, world_.timeline.now()); }
  void connect() { say(ConnectRequest{}); }
  void subscribe(const std::string& channel);
  void drain();  // takes everything that waits
  // Lets time pass for the world, and wakes the session when it wants to be.
  void wait(std::chrono::milliseconds time);
  // What was written down since the last call.
  [[nodiscard]] std::vector<std::string> heard() { return std::exchange(log, {}); }
  [[nodiscard]] const SubscribeResult& last_subscribe_result() const;
  [[nodiscard]] const ConnectResult& connect_result() const;

  void reply(const Reply& reply) override;
  void push(const Push& push) override;
  void publication(const Delivery& delivery, const WireForm& form) override;
  void ping() override;
  void session_changed() override { ++changes; }
  void disconnect(const DisconnectReason& reason) override;
  [[nodiscard]] WireFormat format() const noexcept override { return format_; }
  [[nodiscard]] Envelope envelope() const noexcept override { return Envelope::reply; }
  [[nodiscard]] std::size_t queued_bytes() const noexcept override { return queued; }

 private:
  void note(std::string line);
  World& world_;
  WireFormat format_;
  std::uint32_t next_id_ = 1;
};

[[nodiscard]] SubscribeRequest to(const std::string& channel);
[[nodiscard]] PublishRequest publication(const std::string& channel, const std::string& data);
[[nodiscard]] ChannelOptions recoverable(std::size_t history_size = 100);

}  // namespace fairlead::server::testing

// SPDX-License-Identifier: Apache-2.0
// The implementation of Session; its files follow its concepts: session.cc (life and time), connecting.cc (who it is,
// until when), commands.cc (order, pace, questions), subscribing.cc (from the question to the first live publication),
// memberships.cc (what happens to subscriptions later).
#pragma once

#include "session/limits.h"
#include "session/recovery.h"
#include "session/session.h"
#include "session/subscription.h"
#include "session/timers.h"

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace fairlead::server {

using Refusal = std::variant<ClientError, DisconnectReason>;

struct Membership;
using MembershipPtr = std::shared_ptr<Membership>;
// Ready to be completed, or refused; in both cases the membership is still there.
using Joined = std::function<void(const MembershipPtr&, std::optional<Refusal>)>;

// A subscription on its way: known to the hub, kept back until its client has been answered.
struct Join {
  SubscribeRequest request;
  bool recovers_stream = false, sends_newest = false;
  Granted granted;
  History history;
  bool recovered = false;  // with `sends_newest`: without a history
  Joined joined;
};
// What a subscription needs besides its deliveries.
struct Membership {
  Membership(SubscriptionHost& host, Outbox& outbox, SessionMetrics& metrics, Subscription::Terms terms)
      : subscription(host, outbox, metrics, std::move(terms)) {}
  Subscription subscription;
  std::unique_ptr<Join> join;  // until it is live
  Payload info;                // the subscription's, shown to others
  bool has_presence = false, tells_join_leave = false;
  bool present = false, announced = false;
  Milliseconds history_ttl{0}, history_meta_ttl{0};
  std::unique_ptr<Granted> granted;  // of one that expires, or may be revoked by its token
  TimePoint expiry_at = TimePoint::max();
  bool asking_backend = false;
  std::optional<StreamPosition> lagging_behind;  // found by the position check
  // The token that it was granted by; null: none.
  [[nodiscard]] const TokenIdentity* token() const {
    const Granted* by = join ? &join->granted : granted.get();
    return by != nullptr && by->token ? &*by->token : nullptr;
  }
};

class ClientSession final : public Session, private SubscriptionHost {
 public:
  ClientSession(SessionEnvironment& environment, Outbox& outbox, Caller caller, Options options, TimePoint now);
  ~ClientSession() override;

  void receive(std::vector<Command> commands, TimePoint now) override;
  void on_deadline(TimePoint now) override;
  [[nodiscard]] std::optional<TimePoint> deadline() const override { return timers_.earliest(); }
  void on_drained(TimePoint now) override;
  void closed(TimePoint now) override;
  [[nodiscard]] bool busy() const noexcept override;

  void subscribe(const std::string& channel, ServerSubscription subscription, std::optional<StreamPosition> since,
                 TimePoint now) override;
  void unsubscribe(const std::string& channel, const UnsubscribeReason& reason, TimePoint now) override;
  void unsubscribe_revoked(const std::function<bool(const TokenIdentity&)>& revoked, TimePoint now) override;
  void refresh(const RefreshAnswer& answer, TimePoint now) override;
  void send(const Payload& data) override;
  void disconnect(const DisconnectReason& reason, TimePoint now) override;

  [[nodiscard]] const std::string& client() const noexcept override { return caller_.client; }
  [[nodiscard]] const std::string& user() const noexcept override { return caller_.user; }
  [[nodiscard]] const std::string& secret() const noexcept override { return secret_; }
  [[nodiscard]] const Admitted* admitted() const noexcept override { return admitted_ ? &*admitted_ : nullptr; }
  [[nodiscard]] std::vector<std::string> channels() const override;
  [[nodiscard]] Caller caller() const override { return caller_; }

 private:
  enum class Phase : std::uint8_t { fresh, connecting, connected, refused, gone };
  // One call from outside. It keeps the session alive; what an answer or delivery has changed the transport hears once.
  class Turn {
   public:
    Turn(ClientSession& session, bool by_transport);
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn();

   private:
    ClientSession& session_;
    std::shared_ptr<Session> alive_;
    bool by_transport_;
  };
  struct Connecting {
    std::uint32_t id = 0;
    ConnectRequest request;
    std::size_t joining = 0;
    std::vector<MembershipPtr> memberships;
    std::optional<Refusal> refusal;
  };

  // An answer that may come when the session is gone: then nothing happens.
  template <class Handler>
  [[nodiscard]] auto later(Handler handler) {
    return [weak = weak_from_this(), handler = std::move(handler)](auto answer) mutable {
      const std::shared_ptr<Session> session = weak.lock();
      if (!session) return;
      auto& self = static_cast<ClientSession&>(*session);
      if (self.gone()) return;
      const Turn turn(self, false);
      handler(self, std::move(answer));
    };
  }

  // Within this loop's share for commands that cost much, perhaps in a later turn; not when the session has gone by
  // then.
  template <class Handler>
  void in_turn(Handler handler) {
    if (environment_.turnstile == nullptr) return handler(*this);
    environment_.turnstile->pass([weak = weak_from_this(), handler = std::move(handler)]() mutable {
      const std::shared_ptr<Session> session = weak.lock();
      if (!session) return;
      auto& self = static_cast<ClientSession&>(*session);
      if (self.gone()) return;
      const Turn turn(self, false);
      handler(self);
    });
  }

  // ── Life and time (session.cc) ────────────────────────────────────────────────────────────────────────────────────
  [[nodiscard]] bool gone() const noexcept { return phase_ == Phase::gone; }
  [[nodiscard]] bool connected() const noexcept { return phase_ == Phase::connected; }
  void end(const DisconnectReason& reason);
  void drop(const DisconnectReason& reason);  // ends it and tells the transport
  void fire(Timer timer);
  void start_pings();
  void on_ping_due();
  void on_pong_missing();
  void on_pong();
  void look_whether_all_is_taken();
  [[nodiscard]] TimePoint time() const override;
  [[nodiscard]] std::int64_t wall_seconds() const;
  [[nodiscard]] std::int64_t wall_milliseconds() const;
  void append_event(const char* kind, const std::string& channel, std::uint32_t code, const std::string& reason);
  void trace(TraceKind kind, const std::string& channel, std::uint64_t offset, std::uint32_t code,
             const std::string& detail);
  [[nodiscard]] TraceRecord trace_record(TraceKind kind, const std::string& channel, std::uint64_t offset) const;

  // ── Connecting (connecting.cc) ────────────────────────────────────────────────────────────────────────────────────
  void start_connect(std::uint32_t id, ConnectRequest request);
  void ask_to_be_admitted();
  void on_admitted(Verdict<Admitted> verdict);
  [[nodiscard]] std::optional<Refusal> enter(Admitted admitted);
  void join_server_side();
  void on_connect_joined(std::optional<Refusal> refusal);
  void welcome();
  void refuse_connect(const Refusal& refusal);
  [[nodiscard]] ConnectResult connect_result() const;
  void start_refresh(std::uint32_t id, const RefreshRequest& request);
  void arm_expiry();
  void on_expiry_due();
  void ask_backend_to_refresh();
  void on_refreshed_by_backend(Verdict<Admitted> verdict);
  void renew(Admitted admitted);

  // ── Commands (commands.cc) ────────────────────────────────────────────────────────────────────────────────────────
  void pump();
  [[nodiscard]] bool held() const noexcept;
  void finish();
  void start(Command command);
  void start_body(Command& command);
  [[nodiscard]] bool within_pace(const Command& command);
  [[nodiscard]] Pace pace_of(const Command& command);
  [[nodiscard]] Pace pace_of(RateLimit& own, UserOperation operation, double together);
  template <class Body>
  void reply(std::uint32_t id, Body body);
  void reply_refusal(std::uint32_t id, const Refusal& refusal);
  template <class Body>
  void answer(std::uint32_t id, Body body);  // the command that holds back the others
  void answer_refusal(std::uint32_t id, const Refusal& refusal);
  void start_publish(std::uint32_t id, PublishRequest request);
  void publish_judged(std::uint32_t id, PublishRequest request, PublishAnswer verdict);
  void publish(std::uint32_t id, PublishRequest request, PublishAnswer verdict, PublishOptions how);
  void on_published(std::uint32_t id, const Outcome<PublishOutcome>& outcome);
  [[nodiscard]] Publication publication_of(PublishRequest& request, PublishAnswer& verdict);
  void start_unsubscribe(std::uint32_t id, const UnsubscribeRequest& request);
  void start_presence(std::uint32_t id, const PresenceRequest& request);
  void start_presence_stats(std::uint32_t id, const PresenceStatsRequest& request);
  void start_history(std::uint32_t id, const HistoryRequest& request);
  void start_rpc(std::uint32_t id, const RpcRequest& request);

  // ── Subscribing (subscribing.cc) ──────────────────────────────────────────────────────────────────────────────────
  void start_subscribe(std::uint32_t id, SubscribeRequest request);
  void on_subscribe_granted(std::uint32_t id, SubscribeRequest request, Granted granted);
  void on_subscribe_joined(std::uint32_t id, const MembershipPtr& membership, std::optional<Refusal> refusal);
  [[nodiscard]] Subscription::Terms terms_of(const SubscribeRequest& request, const ChannelOptions& options,
                                             bool server_side);
  [[nodiscard]] MembershipPtr make_membership(const SubscribeRequest& request, Granted granted, bool server_side);
  void join(SubscribeRequest request, Granted granted, bool server_side, Joined joined);
  void enter_presence(const MembershipPtr& membership);
  void read_stream(const MembershipPtr& membership);
  void read_latest(const MembershipPtr& membership);
  void joined(const MembershipPtr& membership, std::optional<Refusal> refusal);
  [[nodiscard]] std::variant<SubscribeResult, ClientError, DisconnectReason> complete(Membership& membership);
  void trace_recovery(const Join& join, const SubscribeResult& result);
  // `last`: of what the client was sent with its subscription, if anything.
  void activate(const MembershipPtr& membership, PublicationPtr last, const StreamPosition& top);
  void announce(Membership& membership);
  void on_later_joined(const MembershipPtr& membership, const std::optional<Refusal>& refusal);
  void push_recovered(Membership& membership, const SubscribeResult& result, const StreamPosition& top);

  // ── Memberships (memberships.cc) ──────────────────────────────────────────────────────────────────────────────────
  [[nodiscard]] MembershipPtr membership_of(const std::string& channel) const;
  [[nodiscard]] bool subscribed(const std::string& channel) const;
  [[nodiscard]] ClientInfo info_of(const Membership& membership) const;
  void remove(const std::string& channel, std::uint32_t code, const std::string& reason);
  void remove(Membership& membership, std::uint32_t code, const std::string& reason);
  void take_away(const std::string& channel, const UnsubscribeReason& reason);
  void on_gap(Subscription& subscription, std::uint64_t offset) override;
  void on_too_slow() override;
  void on_left_out(const Subscription& subscription, TraceKind why, std::uint64_t offset) override;
  void wake_at(TimePoint at) override;
  void flush_all();
  void renew_presence();
  void check_positions();
  void on_position_top(const MembershipPtr& membership, const StreamPosition& top);
  void recheck_positions();
  void start_sub_refresh(std::uint32_t id, const SubRefreshRequest& request);
  void on_sub_refreshed(Membership& membership, Granted granted);
  void arm_subscription_expiry(Membership& membership);
  void on_subscription_due();
  void on_expiry_due(const MembershipPtr& membership);
  void ask_backend_to_refresh(const MembershipPtr& membership);
  void expire(const MembershipPtr& membership);

  // Seconds until a time of the wall clock, as clients are told; 0 when it is past.
  [[nodiscard]] std::uint32_t ttl_until(std::int64_t expire_at) const;
  [[nodiscard]] bool is_past(std::int64_t expire_at) const { return expire_at > 0 && expire_at <= wall_seconds(); }
  [[nodiscard]] TimePoint moment_of(std::int64_t expire_at) const;

  SessionEnvironment& environment_;
  Outbox& outbox_;
  std::shared_ptr<const SessionSettings> settings_;
  Caller caller_;
  std::string secret_;
  Options options_;
  Phase phase_ = Phase::fresh;
  bool entered_ = false;         // the directory knows it
  bool asking_backend_ = false;  // for a refresh
  unsigned turns_ = 0;
  TimePoint now_;
  Timers timers_;

  std::optional<Admitted> admitted_;
  std::unique_ptr<Connecting> connecting_;
  std::vector<std::function<void(ClientSession&)>> once_connected_;

  std::list<Command> waiting_;  // an empty deque would hold 600 bytes for each client
  bool in_progress_ = false, pumping_ = false;
  std::size_t publishing_ = 0;                          // judged, not yet answered by the engine
  bool publishing_kept_ = false;                        // those
  std::function<void(ClientSession&)> once_published_;  // of the other kind: until the engine has answered them all
  std::size_t errors_ = 0;
  std::int64_t taken_until_ms_ = 0;  // when nothing waited for the client, as far as somebody looked
  RateLimit commands_limit_, publishes_limit_, subscribes_limit_, rpcs_limit_;

  std::unordered_map<std::string, MembershipPtr> memberships_;
  std::size_t client_side_ = 0;
};

// What waited before it tells whether the client reads too slowly: one reply alone may be larger than the limit.
template <class Body>
void ClientSession::reply(std::uint32_t id, Body body) {
  if (outbox_.queued_bytes() > settings_->queue_max_bytes) return on_too_slow();
  outbox_.reply(Reply{id, std::move(body)});
}

template <class Body>
void ClientSession::answer(std::uint32_t id, Body body) {
  reply(id, std::move(body));
  finish();
}

}  // namespace fairlead::server

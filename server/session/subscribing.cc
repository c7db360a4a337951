// SPDX-License-Identifier: Apache-2.0
// The join without loss: what is published meanwhile is kept back → known to the hub and to the node → presence → the
// stream's top, or what was missed → checked that both meet → the answer → what was kept back → live.
#include "session/client_session.h"

#include <algorithm>
#include <utility>

namespace fairlead::server {

namespace {

constexpr const char* fossil = "fossil";
constexpr const char* cache_mode = "cache";

bool wants_delta(const SubscribeRequest& request, const ChannelOptions& options) {
  const auto& allowed = options.allowed_delta_types;
  return request.delta == fossil && std::find(allowed.begin(), allowed.end(), fossil) != allowed.end();
}

std::optional<ClientError> filter_error(const SubscribeRequest& request, const ChannelOptions& options) {
  if (!request.filter) return std::nullopt;
  if (!options.allow_tags_filter || !check(*request.filter)) return client_error::bad_request;
  return std::nullopt;
}

}  // namespace

// ── A client asks ───────────────────────────────────────────────────────────────────────────────────────────────────
void ClientSession::start_subscribe(std::uint32_t id, SubscribeRequest request) {
  if (request.type != 0) return answer_refusal(id, client_error::not_available);
  if (memberships_.contains(request.channel)) return answer_refusal(id, client_error::already_subscribed);
  if (client_side_ >= settings_->channel_limit) return answer_refusal(id, client_error::limit_exceeded);
  const SubscribeRequest asked = request;
  environment_.gate.subscribe(
      caller_, *admitted_, asked,
      later([id, request = std::move(request)](ClientSession& self, Verdict<Granted> verdict) mutable {
        if (auto* granted = std::get_if<Granted>(&verdict))
          return self.on_subscribe_granted(id, std::move(request), std::move(*granted));
        if (const auto* reason = std::get_if<DisconnectReason>(&verdict)) return self.drop(*reason);
        const ClientError error = std::get<ClientError>(verdict);
        self.trace(TraceKind::refused, request.channel, 0, error.code, refused_subscribe);
        self.answer_refusal(id, error);
      }));
}

void ClientSession::on_subscribe_granted(std::uint32_t id, SubscribeRequest request, Granted granted) {
  if (memberships_.contains(request.channel)) return answer_refusal(id, client_error::already_subscribed);
  if (const auto error = filter_error(request, granted.options)) return answer_refusal(id, *error);
  if (is_past(granted.expire_at)) return answer_refusal(id, client_error::expired);
  join(std::move(request), std::move(granted), false,
       [this, id](const MembershipPtr& membership, std::optional<Refusal> refusal) {
         on_subscribe_joined(id, membership, std::move(refusal));
       });
}

void ClientSession::on_subscribe_joined(std::uint32_t id, const MembershipPtr& membership,
                                        std::optional<Refusal> refusal) {
  SubscribeResult result;
  if (!refusal) {
    auto completed = complete(*membership);
    if (auto* ready = std::get_if<SubscribeResult>(&completed)) result = std::move(*ready);
    if (const auto* error = std::get_if<ClientError>(&completed)) refusal = *error;
    if (const auto* reason = std::get_if<DisconnectReason>(&completed)) refusal = *reason;
  }
  if (refusal) {
    remove(membership->subscription.channel(), 0, "");
    return answer_refusal(id, *refusal);
  }
  const StreamPosition top = membership->join->history.top;
  PublicationPtr last = result.publications.empty() ? nullptr : result.publications.back();
  reply(id, std::move(result));
  if (!gone()) activate(membership, std::move(last), top);
  finish();
}

// ── Joining, for every kind of subscription ─────────────────────────────────────────────────────────────────────────
// What a client asks for it gets when it may read the history (positions) or the presence (joins and leaves), or when
// the channel allows it to everybody; what the channel forces comes in any case.
Subscription::Terms ClientSession::terms_of(const SubscribeRequest& request, const ChannelOptions& options,
                                            bool server_side) {
  const std::string& channel = request.channel;
  const auto may_read = [&](auto question) {
    const auto allowed = (environment_.gate.*question)(*admitted_, channel, true);
    return std::holds_alternative<ChannelOptions>(allowed);
  };
  const auto wanted = [&](bool forced, bool asked, bool allowed, auto question) {
    return forced || (asked && !server_side && (allowed || may_read(question)));
  };
  Subscription::Terms terms;
  terms.channel = channel;
  terms.server_side = server_side;
  terms.recoverable = options.has_history() &&
                      wanted(options.force_recovery, request.recoverable, options.allow_recovery, &Gatekeeper::history);
  terms.positioned =
      options.has_history() && (terms.recoverable || wanted(options.force_positioning, request.positioned,
                                                            options.allow_positioning, &Gatekeeper::history));
  terms.hears_join_leave =
      options.join_leave && wanted(options.force_push_join_leave, request.join_leave, false, &Gatekeeper::presence);
  terms.delta = wants_delta(request, options);
  // In Protobuf the JavaScript SDK (5.8.0) asks for it, and then compares numbers that are objects there: it would not
  // find its own subscription, and hear nothing.
  terms.compact = options.allow_channel_compaction && (request.flag & flag_channel_compaction) != 0 &&
                  caller_.protocol != "protobuf";
  if (!server_side && request.filter) terms.filter = std::make_unique<const FilterNode>(*request.filter);
  terms.slow = {options.slow_policy, options.slow_queue_messages, options.conflate_tag};
  terms.sample_per_second = options.slow_sample_per_second;
  terms.queue_max_bytes = settings_->queue_max_bytes;
  return terms;
}

MembershipPtr ClientSession::make_membership(const SubscribeRequest& request, Granted granted, bool server_side) {
  auto membership = std::make_shared<Membership>(static_cast<SubscriptionHost&>(*this), outbox_, environment_.metrics,
                                                 terms_of(request, granted.options, server_side));
  const ChannelOptions& options = granted.options;
  const bool cache = options.force_recovery_mode == cache_mode;
  membership->info = granted.info;
  membership->has_presence = options.presence;
  membership->tells_join_leave = options.join_leave;
  membership->history_ttl = options.history_ttl;
  membership->history_meta_ttl = options.history_meta_ttl;
  membership->join = std::make_unique<Join>();
  Join& join = *membership->join;
  const bool asks = request.recover && membership->subscription.terms().recoverable;
  join.recovers_stream = asks && !cache;
  join.sends_newest = cache && (asks || options.auto_cache_recover);
  join.granted = std::move(granted);
  return membership;
}

void ClientSession::join(SubscribeRequest request, Granted granted, bool server_side, Joined joined) {
  const std::string channel = request.channel;
  const MembershipPtr membership = make_membership(request, std::move(granted), server_side);
  membership->join->request = std::move(request);
  membership->join->joined = std::move(joined);
  memberships_.emplace(channel, membership);
  if (!server_side) ++client_side_;
  environment_.hub.add(channel, membership->subscription);
  environment_.interest.want(channel, later([membership](ClientSession& self, const Outcome<void>& outcome) {
                               if (!membership->join) return;
                               if (!outcome) return self.joined(membership, client_error::internal);
                               self.enter_presence(membership);
                             }));
}

void ClientSession::enter_presence(const MembershipPtr& membership) {
  if (!membership->has_presence) return read_stream(membership);
  membership->present = true;  // from here on it is to be taken back
  environment_.broker.add_presence(membership->subscription.channel(), info_of(*membership), settings_->presence_ttl,
                                   later([membership](ClientSession& self, const Outcome<void>& outcome) {
                                     if (!membership->join) return;
                                     if (!outcome) return self.joined(membership, client_error::internal);
                                     self.read_stream(membership);
                                   }));
}

void ClientSession::read_stream(const MembershipPtr& membership) {
  const Join& join = *membership->join;
  const bool has_history = join.granted.options.has_history();
  if (!has_history && join.sends_newest) return read_latest(membership);
  if (!has_history || !(membership->subscription.terms().positioned || join.sends_newest))
    return joined(membership, std::nullopt);
  HistoryQuery query;
  query.history_ttl = membership->history_ttl;
  query.history_meta_ttl = membership->history_meta_ttl;
  query.reverse = join.sends_newest;
  if (join.sends_newest) query.limit = 1;
  if (join.recovers_stream) {
    query.since = join.request.since;
    query.limit = settings_->recovery_max_publication_limit;
  }
  environment_.broker.history(membership->subscription.channel(), std::move(query),
                              later([membership](ClientSession& self, Outcome<History> outcome) {
                                if (!membership->join) return;
                                if (!outcome) return self.joined(membership, client_error::internal);
                                Join& under_way = *membership->join;
                                under_way.history = std::move(*outcome);
                                const bool empty = under_way.history.publications.empty();
                                if (under_way.sends_newest && empty) return self.read_latest(membership);
                                self.joined(membership, std::nullopt);
                              }));
}

// The last value of a channel whose history has none, or that has no history.
void ClientSession::read_latest(const MembershipPtr& membership) {
  if (!membership->join->granted.options.keep_latest_publication) return joined(membership, std::nullopt);
  environment_.broker.latest(membership->subscription.channel(),
                             later([membership](ClientSession& self, Outcome<PublicationPtr> outcome) {
                               if (!membership->join) return;
                               if (!outcome) return self.joined(membership, client_error::internal);
                               if (*outcome) membership->join->history.publications.push_back(std::move(*outcome));
                               self.joined(membership, std::nullopt);
                             }));
}

void ClientSession::joined(const MembershipPtr& membership, std::optional<Refusal> refusal) {
  const Joined next = std::move(membership->join->joined);
  next(membership, std::move(refusal));
}

// ── The answer ──────────────────────────────────────────────────────────────────────────────────────────────────────
std::variant<SubscribeResult, ClientError, DisconnectReason> ClientSession::complete(Membership& membership) {
  Subscription& subscription = membership.subscription;
  const Subscription::Terms& terms = subscription.terms();
  Join& join = *membership.join;
  const SubscribeRequest& request = join.request;
  if (!subscription.continues(join.history.top)) {
    ++environment_.metrics.gaps;
    trace(TraceKind::gap, terms.channel, join.history.top.offset, disconnect_reason::insufficient_state.code, "join");
    return disconnect_reason::insufficient_state;
  }
  SubscribeResult result;
  result.positioned = terms.positioned;
  result.recoverable = terms.recoverable;
  result.was_recovering = request.recover;
  result.delta = terms.delta;
  result.data = join.granted.data;
  if (terms.compact) result.id = environment_.interest.number_of(terms.channel);
  if (join.granted.expire_at > 0 && !join.granted.refreshed_by_server) {
    result.expires = true;
    result.ttl = ttl_until(join.granted.expire_at);
  }
  if (terms.positioned) result.position = join.history.top;
  if (join.sends_newest || join.recovers_stream) {
    History history{std::exchange(join.history.publications, {}), join.history.top};
    Catchup catchup = join.sends_newest ? recover_newest(request.since, std::move(history))
                                        : recover_stream(request.since, std::move(history));
    result.recovered = catchup.recovered;
    result.publications = std::move(catchup.publications);
    // The client's own offset goes on with what it is sent now.
    if (result.recovered && request.recover && terms.positioned) result.position.offset = request.since.offset;
  }
  if (!result.publications.empty()) subscription.forget_until(*result.publications.back());
  if (request.recover) trace_recovery(join, result);
  if (terms.filter) {
    std::erase_if(result.publications, [&](const PublicationPtr& one) {
      if (matches(*terms.filter, one->tags)) return false;
      ++environment_.metrics.filtered;
      trace(TraceKind::filtered, terms.channel, one->offset, 0, "");
      return true;
    });
  } else if (join.recovers_stream && !terms.delta && environment_.missed != nullptr) {
    result.missed = environment_.missed->share(terms.channel, join.history.top.epoch, result.publications);
  }
  const bool rejects = (request.flag & flag_reject_unrecovered) != 0;
  if (rejects && request.recover && terms.recoverable && !result.recovered) return client_error::unrecoverable_position;
  return result;
}

// In the cache mode only the newest is sent, and not to who has it.
void ClientSession::trace_recovery(const Join& join, const SubscribeResult& result) {
  ++(result.recovered ? environment_.metrics.recovered : environment_.metrics.unrecovered);
  const std::uint64_t top = join.history.top.offset;
  TraceRecord record =
      trace_record(result.recovered ? TraceKind::recovered : TraceKind::unrecovered, join.request.channel, top);
  if (result.recovered) {
    const std::uint64_t before_newest = top - std::min(top, std::uint64_t{result.publications.size()});
    record.since = join.sends_newest ? before_newest : join.request.since.offset;
  }
  environment_.trace.add(std::move(record));
}

void ClientSession::activate(const MembershipPtr& membership, PublicationPtr last, const StreamPosition& top) {
  const std::unique_ptr<Join> join = std::move(membership->join);
  if (join->granted.expire_at > 0 || join->granted.token) {
    membership->granted = std::make_unique<Granted>(std::move(join->granted));
    arm_subscription_expiry(*membership);
  }
  const std::string& channel = membership->subscription.channel();
  ++environment_.metrics.subscribed;
  append_event("subscribed", channel, 0, "");
  trace(TraceKind::subscribed, channel, top.offset, 0, "");
  if (membership->has_presence && !timers_.is_set(Timer::presence))
    timers_.set(Timer::presence, time() + settings_->presence_update_interval);
  if (membership->subscription.terms().positioned && !timers_.is_set(Timer::position))
    timers_.set(Timer::position, time() + settings_->channel_position_check_delay);
  membership->subscription.go_live(top, std::move(last));
  if (!gone() && membership->subscription.live()) announce(*membership);
}

void ClientSession::announce(Membership& membership) {
  if (!membership.tells_join_leave) return;
  membership.announced = true;
  environment_.broker.publish_join(membership.subscription.channel(), info_of(membership), [](const Outcome<void>&) {});
}

// ── The server makes one later ──────────────────────────────────────────────────────────────────────────────────────
void ClientSession::subscribe(const std::string& channel, ServerSubscription subscription,
                              std::optional<StreamPosition> since, TimePoint now) {
  if (gone() || phase_ == Phase::refused) return;
  const Turn turn(*this, false);
  now_ = now;
  if (!connected()) {
    once_connected_.emplace_back([channel, subscription = std::move(subscription), since](ClientSession& self) {
      self.subscribe(channel, subscription, since, self.now_);
    });
    return;
  }
  if (memberships_.contains(channel)) return;
  auto judged = environment_.gate.server_subscription(channel, subscription);
  if (std::holds_alternative<ClientError>(judged)) return;
  Granted granted = std::get<Granted>(std::move(judged));
  if (is_past(granted.expire_at)) return;
  SubscribeRequest request;
  request.channel = channel;
  request.recover = since.has_value();
  if (since) request.since = std::move(*since);
  join(std::move(request), std::move(granted), true,
       [this](const MembershipPtr& membership, const std::optional<Refusal>& refusal) {
         on_later_joined(membership, refusal);
       });
}

void ClientSession::on_later_joined(const MembershipPtr& membership, const std::optional<Refusal>& refusal) {
  auto completed = refusal ? std::variant<SubscribeResult, ClientError, DisconnectReason>(client_error::internal)
                           : complete(*membership);
  if (const auto* reason = std::get_if<DisconnectReason>(&completed)) return drop(*reason);
  if (std::holds_alternative<ClientError>(completed)) return remove(membership->subscription.channel(), 0, "");
  const auto result = std::get<SubscribeResult>(std::move(completed));
  const StreamPosition top = membership->join->history.top;
  SubscribePush push{result.recoverable, result.positioned, result.position, result.data};
  outbox_.push(Push{membership->subscription.channel(), 0, std::move(push)});
  if (!gone()) push_recovered(*membership, result, top);
  if (!gone()) activate(membership, result.publications.empty() ? nullptr : result.publications.back(), top);
}

// A push has no room for what was missed: it follows as publications.
void ClientSession::push_recovered(Membership& membership, const SubscribeResult& result, const StreamPosition& top) {
  if (environment_.encoder == nullptr) return;
  const std::string& channel = membership.subscription.channel();
  for (const PublicationPtr& publication : result.publications) {
    if (gone()) return;
    const StreamPosition position{publication->offset, top.epoch};
    membership.subscription.send_recovered(Delivery(
        *environment_.encoder, channel, environment_.interest.number_of(channel), publication, position, nullptr));
  }
}

}  // namespace fairlead::server

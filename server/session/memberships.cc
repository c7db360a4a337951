// SPDX-License-Identifier: Apache-2.0
// What happens to subscriptions once they are live: they are looked after, refreshed, and they end.
#include "session/client_session.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace fairlead::server {

namespace {

// What the engine has counted may still be on its way to this node.
constexpr std::chrono::milliseconds position_recheck_delay{1'000};
constexpr std::chrono::milliseconds refresh_retry_delay{1'000};

}  // namespace

MembershipPtr ClientSession::membership_of(const std::string& channel) const {
  const auto found = memberships_.find(channel);
  return found == memberships_.end() ? nullptr : found->second;
}

bool ClientSession::subscribed(const std::string& channel) const {
  const MembershipPtr membership = membership_of(channel);
  return membership && membership->subscription.live();
}

std::vector<std::string> ClientSession::channels() const {
  std::vector<std::string> names;
  names.reserve(memberships_.size());
  for (const auto& [channel, membership] : memberships_)
    if (membership->subscription.live()) names.push_back(channel);
  return names;
}

ClientInfo ClientSession::info_of(const Membership& membership) const {
  return {caller_.user, caller_.client, admitted_ ? admitted_->info : Payload(), membership.info};
}

// ── The end of one ──────────────────────────────────────────────────────────────────────────────────────────────────
void ClientSession::remove(const std::string& channel, std::uint32_t code, const std::string& reason) {
  const auto found = memberships_.find(channel);
  if (found == memberships_.end()) return;
  const MembershipPtr membership = std::move(found->second);
  memberships_.erase(found);
  remove(*membership, code, reason);
}

// Everything that it had made known is taken back, in the order in which the others should hear of it.
void ClientSession::remove(Membership& membership, std::uint32_t code, const std::string& reason) {
  const std::string& channel = membership.subscription.channel();
  const bool was_live = membership.subscription.live();
  if (!membership.subscription.terms().server_side) --client_side_;
  membership.subscription.retire();
  membership.join.reset();
  if (environment_.hub.remove(channel, membership.subscription)) environment_.interest.unwant(channel);
  const auto ignore = [](const Outcome<void>&) {};
  if (std::exchange(membership.present, false)) environment_.broker.remove_presence(channel, caller_.client, ignore);
  if (std::exchange(membership.announced, false))
    environment_.broker.publish_leave(channel, info_of(membership), ignore);
  if (!was_live) return;
  ++environment_.metrics.unsubscribed;
  append_event("unsubscribed", channel, code, reason);
  trace(TraceKind::unsubscribed, channel, membership.subscription.position().offset, code, reason);
}

void ClientSession::take_away(const std::string& channel, const UnsubscribeReason& reason) {
  remove(channel, reason.code, reason.reason);
  outbox_.push(Push{channel, 0, reason});
}

// One that is still joining is answered with an error that makes its client do what the code would have: come back, or
// not.
void ClientSession::unsubscribe(const std::string& channel, const UnsubscribeReason& reason, TimePoint now) {
  if (gone()) return;
  const Turn turn(*this, false);
  now_ = now;
  if (phase_ == Phase::connecting) {
    once_connected_.emplace_back(
        [channel, reason](ClientSession& self) { self.unsubscribe(channel, reason, self.now_); });
    return;
  }
  const MembershipPtr membership = membership_of(channel);
  if (!membership) return;
  if (membership->subscription.live()) return take_away(channel, reason);
  if (membership->subscription.terms().server_side) return remove(channel, 0, "");
  const bool may_return = reason.code >= unsubscribe_reason::insufficient_state.code;
  joined(membership, may_return ? client_error::internal : client_error::permission_denied);
}

// As who comes with such a token now: it may not subscribe, and need not ask again.
void ClientSession::unsubscribe_revoked(const std::function<bool(const TokenIdentity&)>& revoked, TimePoint now) {
  std::vector<std::string> ended;
  for (const auto& [channel, membership] : memberships_) {
    const TokenIdentity* token = membership->token();
    if (token != nullptr && revoked(*token)) ended.push_back(channel);
  }
  for (const std::string& channel : ended) unsubscribe(channel, unsubscribe_reason::server, now);
}

// ── Trouble on the way of its publications ──────────────────────────────────────────────────────────────────────────
// A client that subscribed by itself does so again and recovers; what the server has made comes back by reconnecting.
void ClientSession::on_gap(Subscription& subscription, std::uint64_t offset) {
  const Turn turn(*this, false);
  const MembershipPtr alive = membership_of(subscription.channel());  // and with it the name
  const std::string& channel = subscription.channel();
  const bool server_side = subscription.terms().server_side;
  ++environment_.metrics.gaps;
  trace(TraceKind::gap, channel, offset, server_side ? 3010 : 2500, "");
  if (server_side) return drop(disconnect_reason::insufficient_state);
  take_away(channel, unsubscribe_reason::insufficient_state);
}

void ClientSession::on_too_slow() {
  if (gone()) return;
  const Turn turn(*this, false);
  ++environment_.metrics.slow;
  TraceRecord record = trace_record(TraceKind::slow, "", 0);
  record.code = disconnect_reason::slow.code;
  record.taken_until_ms = taken_until_ms_;
  environment_.trace.add(std::move(record));
  drop(disconnect_reason::slow);
}

void ClientSession::on_left_out(const Subscription& subscription, TraceKind why, std::uint64_t offset) {
  trace(why, subscription.channel(), offset, 0, "");
}

void ClientSession::wake_at(TimePoint at) {
  timers_.set_earlier(Timer::sampling, at);
  if (turns_ == 0) outbox_.session_changed();
}

void ClientSession::flush_all() {
  std::vector<MembershipPtr> alive;
  alive.reserve(memberships_.size());
  for (const auto& [channel, membership] : memberships_) alive.push_back(membership);
  for (const MembershipPtr& membership : alive) {
    if (gone()) return;
    membership->subscription.flush();
  }
}

// ── Looking after them ──────────────────────────────────────────────────────────────────────────────────────────────
void ClientSession::renew_presence() {
  bool any = false;
  for (const auto& [channel, membership] : memberships_) {
    if (!membership->present) continue;
    any = true;
    environment_.broker.add_presence(channel, info_of(*membership), settings_->presence_ttl,
                                     [](const Outcome<void>&) {});
  }
  if (any) timers_.set(Timer::presence, now_ + settings_->presence_update_interval);
}

void ClientSession::check_positions() {
  std::vector<MembershipPtr> positioned;
  for (const auto& [channel, membership] : memberships_)
    if (membership->subscription.live() && membership->subscription.terms().positioned)
      positioned.push_back(membership);
  if (positioned.empty()) return;
  timers_.set(Timer::position, now_ + settings_->channel_position_check_delay);
  for (const MembershipPtr& membership : positioned) {
    HistoryQuery query;
    query.history_ttl = membership->history_ttl;
    query.history_meta_ttl = membership->history_meta_ttl;
    environment_.broker.history(membership->subscription.channel(), std::move(query),
                                later([membership](ClientSession& self, const Outcome<History>& outcome) {
                                  if (outcome) self.on_position_top(membership, outcome->top);
                                }));
  }
}

void ClientSession::on_position_top(const MembershipPtr& membership, const StreamPosition& top) {
  const StreamPosition& position = membership->subscription.position();
  if (!membership->subscription.live()) return;
  if (position.epoch == top.epoch && position.offset >= top.offset) return;
  membership->lagging_behind = top;
  timers_.set_earlier(Timer::position_recheck, time() + position_recheck_delay);
}

void ClientSession::recheck_positions() {
  std::vector<MembershipPtr> alive;
  for (const auto& [channel, membership] : memberships_)
    if (membership->lagging_behind) alive.push_back(membership);
  for (const MembershipPtr& membership : alive) {
    const StreamPosition top = *std::exchange(membership->lagging_behind, std::nullopt);
    if (gone()) return;
    Subscription& subscription = membership->subscription;
    if (!subscription.live()) continue;
    const bool same_epoch = subscription.position().epoch == top.epoch;
    if (same_epoch && subscription.position().offset >= top.offset) continue;
    on_gap(subscription, top.offset);
  }
}

// ── Until when ──────────────────────────────────────────────────────────────────────────────────────────────────────
void ClientSession::start_sub_refresh(std::uint32_t id, const SubRefreshRequest& request) {
  const MembershipPtr membership = membership_of(request.channel);
  if (!membership || !membership->subscription.live()) return answer_refusal(id, client_error::permission_denied);
  if (request.type != 0) return answer_refusal(id, client_error::not_available);
  const bool by_server = membership->granted && membership->granted->refreshed_by_server;
  if (request.token.empty() || by_server) return drop(disconnect_reason::bad_request);
  const Granted granted = membership->granted ? *membership->granted : Granted{};
  environment_.gate.sub_refresh(caller_, *admitted_, granted, request,
                                later([id, membership](ClientSession& self, Verdict<Granted> verdict) {
                                  if (const auto* reason = std::get_if<DisconnectReason>(&verdict))
                                    return self.drop(*reason);
                                  if (const auto* error = std::get_if<ClientError>(&verdict))
                                    return self.answer_refusal(id, *error);
                                  auto fresh = std::get<Granted>(std::move(verdict));
                                  if (self.is_past(fresh.expire_at))
                                    return self.answer_refusal(id, client_error::expired);
                                  SubRefreshResult result{fresh.expire_at > 0, 0};
                                  if (result.expires) result.ttl = self.ttl_until(fresh.expire_at);
                                  self.on_sub_refreshed(*membership, std::move(fresh));
                                  self.answer(id, result);
                                }));
}

void ClientSession::on_sub_refreshed(Membership& membership, Granted granted) {
  if (!granted.info.empty()) membership.info = granted.info;
  membership.granted = std::make_unique<Granted>(std::move(granted));
  arm_subscription_expiry(membership);
}

void ClientSession::arm_subscription_expiry(Membership& membership) {
  membership.expiry_at = TimePoint::max();
  const Granted& granted = *membership.granted;
  if (granted.expire_at <= 0) return;
  const auto grace = granted.refreshed_by_server ? std::chrono::milliseconds{0} : settings_->expired_sub_close_delay;
  membership.expiry_at = moment_of(granted.expire_at) + grace;
  timers_.set_earlier(Timer::subscription, membership.expiry_at);
}

void ClientSession::on_subscription_due() {
  std::vector<MembershipPtr> due;
  for (const auto& [channel, membership] : memberships_)
    if (membership->expiry_at <= now_) due.push_back(membership);
  for (const MembershipPtr& membership : due) {
    if (gone()) return;
    if (membership->subscription.live()) on_expiry_due(membership);
  }
  for (const auto& [channel, membership] : memberships_)
    if (membership->expiry_at != TimePoint::max()) timers_.set_earlier(Timer::subscription, membership->expiry_at);
}

void ClientSession::on_expiry_due(const MembershipPtr& membership) {
  const Granted& granted = *membership->granted;
  if (!is_past(granted.expire_at)) return arm_subscription_expiry(*membership);
  const std::int64_t grace_end = granted.expire_at * 1'000 + settings_->expired_sub_close_delay.count();
  const std::int64_t left = grace_end - wall_milliseconds();
  if (left <= 0) return expire(membership);
  membership->expiry_at = time() + std::chrono::milliseconds(left);
  if (granted.refreshed_by_server && !membership->asking_backend) ask_backend_to_refresh(membership);
}

void ClientSession::ask_backend_to_refresh(const MembershipPtr& membership) {
  membership->asking_backend = true;
  SubRefreshRequest request;
  request.channel = membership->subscription.channel();
  const Granted granted = *membership->granted;
  environment_.gate.sub_refresh(
      caller_, *admitted_, granted, request, later([membership](ClientSession& self, Verdict<Granted> verdict) {
        membership->asking_backend = false;
        if (!membership->subscription.live()) return;
        if (const auto* reason = std::get_if<DisconnectReason>(&verdict)) return self.drop(*reason);
        if (const auto* error = std::get_if<ClientError>(&verdict)) {
          if (!error->temporary) return self.expire(membership);
          membership->expiry_at = std::min(membership->expiry_at, self.time() + refresh_retry_delay);
          return self.timers_.set_earlier(Timer::subscription, membership->expiry_at);
        }
        auto fresh = std::get<Granted>(std::move(verdict));
        if (self.is_past(fresh.expire_at)) return self.expire(membership);
        self.on_sub_refreshed(*membership, std::move(fresh));
      }));
}

void ClientSession::expire(const MembershipPtr& membership) {
  if (membership->subscription.terms().server_side) return drop(disconnect_reason::subscription_expired);
  take_away(membership->subscription.channel(), unsubscribe_reason::expired);
}

}  // namespace fairlead::server

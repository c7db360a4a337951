// SPDX-License-Identifier: Apache-2.0
// Who the client is, what it is subscribed to from the beginning, and until when its connection is good.
#include "session/client_session.h"

#include <chrono>
#include <utility>

namespace fairlead::server {

namespace {

constexpr std::chrono::milliseconds refresh_retry_delay{1'000};
// What a client calls itself and its version: the protocol's bounds, in bytes.
constexpr std::size_t name_limit = 16, version_limit = 64;

// A client that cannot read an error reply is told as much by how it is disconnected.
DisconnectReason unidirectional(const ClientError& error) {
  const bool expired = error.code == client_error::token_expired.code || error.code == client_error::expired.code;
  return expired ? disconnect_reason::expired : disconnect_reason::server_error;
}

}  // namespace

void ClientSession::start_connect(std::uint32_t id, ConnectRequest request) {
  const bool too_long = request.name.size() > name_limit || request.version.size() > version_limit;
  if (phase_ != Phase::fresh || too_long) return drop(disconnect_reason::bad_request);
  phase_ = Phase::connecting;
  in_progress_ = true;
  connecting_ = std::make_unique<Connecting>();
  connecting_->id = id;
  connecting_->request = std::move(request);
  caller_.emulated_headers = connecting_->request.headers;
  in_turn([](ClientSession& self) { self.ask_to_be_admitted(); });
}

void ClientSession::ask_to_be_admitted() {
  environment_.gate.connect(caller_, connecting_->request, later([](ClientSession& self, Verdict<Admitted> verdict) {
                              self.on_admitted(std::move(verdict));
                            }));
}

void ClientSession::on_admitted(Verdict<Admitted> verdict) {
  if (const auto* error = std::get_if<ClientError>(&verdict)) return refuse_connect(*error);
  if (const auto* reason = std::get_if<DisconnectReason>(&verdict)) return drop(*reason);
  if (const auto refusal = enter(std::get<Admitted>(std::move(verdict)))) return refuse_connect(*refusal);
  join_server_side();
}

std::optional<Refusal> ClientSession::enter(Admitted admitted) {
  if (is_past(admitted.expire_at)) return client_error::expired;
  if (admitted.subs.size() > settings_->channel_limit) return disconnect_reason::channel_limit;
  caller_.user = admitted.user;
  caller_.meta = admitted.meta;
  admitted_ = std::move(admitted);
  if (!environment_.directory.entered(*this)) return disconnect_reason::connection_limit;
  entered_ = true;
  return std::nullopt;
}

// All side by side: the connect command is answered when the last one is there. One counts as joining until all have
// been started, so that answers within the call do not come too early.
void ClientSession::join_server_side() {
  connecting_->joining = 1;
  for (const auto& [channel, wanted] : std::map(admitted_->subs)) {
    auto judged = environment_.gate.server_subscription(channel, wanted);
    if (const auto* error = std::get_if<ClientError>(&judged)) {
      connecting_->refusal = *error;
      break;
    }
    SubscribeRequest request;
    const auto asked = connecting_->request.subs.find(channel);
    if (asked != connecting_->request.subs.end()) request = asked->second;
    request.channel = channel;
    ++connecting_->joining;
    join(std::move(request), std::get<Granted>(std::move(judged)), true,
         [this](const MembershipPtr& membership, std::optional<Refusal> refusal) {
           connecting_->memberships.push_back(membership);
           on_connect_joined(std::move(refusal));
         });
  }
  on_connect_joined(std::nullopt);
}

void ClientSession::on_connect_joined(std::optional<Refusal> refusal) {
  if (refusal) connecting_->refusal = std::move(refusal);
  if (--connecting_->joining > 0) return;
  if (connecting_->refusal) return refuse_connect(Refusal(*connecting_->refusal));
  welcome();
}

// The reply comes before any push of the channels, and before everything that others hear of this client.
void ClientSession::welcome() {
  ConnectResult result = connect_result();
  for (const MembershipPtr& membership : connecting_->memberships) {
    auto completed = complete(*membership);
    if (const auto* error = std::get_if<ClientError>(&completed)) return refuse_connect(*error);
    if (const auto* reason = std::get_if<DisconnectReason>(&completed)) return drop(*reason);
    result.subs.emplace(membership->subscription.channel(), std::get<SubscribeResult>(std::move(completed)));
  }
  const std::unique_ptr<Connecting> connecting = std::move(connecting_);
  phase_ = Phase::connected;
  timers_.clear(Timer::stale);
  ++environment_.metrics.connected;
  append_event("connected", "", 0, "");
  if (options_.unidirectional) {
    outbox_.push(Push{"", 0, ConnectPush{result}});
  } else {
    reply(connecting->id, result);
  }
  for (const MembershipPtr& membership : connecting->memberships) {
    if (gone()) return;
    const StreamPosition top = membership->join->history.top;
    const auto& sent = result.subs.at(membership->subscription.channel()).publications;
    activate(membership, sent.empty() ? nullptr : sent.back(), top);
  }
  if (gone()) return;
  start_pings();
  arm_expiry();
  for (const auto& act : std::exchange(once_connected_, {}))
    if (!gone()) act(*this);
  finish();
}

// An error reply leaves a connection that is good for nothing more; what came with the connect command is not looked
// at, as its sender could not know.
void ClientSession::refuse_connect(const Refusal& refusal) {
  if (const auto* reason = std::get_if<DisconnectReason>(&refusal)) return drop(*reason);
  const ClientError error = std::get<ClientError>(refusal);
  if (options_.unidirectional) return drop(unidirectional(error));
  const std::uint32_t id = connecting_->id;
  for (auto& [channel, membership] : std::exchange(memberships_, {})) remove(*membership, error.code, error.message);
  if (std::exchange(entered_, false)) environment_.directory.left(*this);
  phase_ = Phase::refused;
  connecting_.reset();
  admitted_.reset();
  once_connected_.clear();
  waiting_.clear();
  trace(TraceKind::refused, "", 0, error.code, refused_connect);
  answer_refusal(id, error);
}

ConnectResult ClientSession::connect_result() const {
  ConnectResult result;
  result.client = caller_.client;
  result.version = settings_->node_version;
  result.data = admitted_->data;
  if (admitted_->expire_at > 0 && !admitted_->refreshed_by_server) {
    result.expires = true;
    result.ttl = ttl_until(admitted_->expire_at);
  }
  if (!options_.native_ping && settings_->ping_interval.count() > 0) {
    result.ping = static_cast<std::uint32_t>(settings_->ping_interval.count() / 1'000);
    result.pong = !options_.unidirectional && settings_->pong_timeout.count() > 0;
  }
  if (options_.emulated) {
    result.session = secret_;
    result.node = environment_.node_id;
  }
  if (settings_->include_server_time) result.time_ms = wall_milliseconds();
  return result;
}

// ── Until when ──────────────────────────────────────────────────────────────────────────────────────────────────────
// A client refreshes by itself and has some grace for it; the backend is asked when the time has come, with the same.
void ClientSession::arm_expiry() {
  timers_.clear(Timer::connection);
  if (admitted_->expire_at <= 0) return;
  const auto grace = admitted_->refreshed_by_server ? std::chrono::milliseconds{0} : settings_->expired_close_delay;
  timers_.set(Timer::connection, moment_of(admitted_->expire_at) + grace);
}

void ClientSession::on_expiry_due() {
  if (!is_past(admitted_->expire_at)) return arm_expiry();
  const TimePoint last = moment_of(0);  // now, by the clock that answers are timed with
  const std::int64_t grace_end = admitted_->expire_at * 1'000 + settings_->expired_close_delay.count();
  const std::int64_t left = grace_end - wall_milliseconds();
  if (left <= 0) return drop(disconnect_reason::expired);
  timers_.set(Timer::connection, last + std::chrono::milliseconds(left));
  if (admitted_->refreshed_by_server && !asking_backend_) ask_backend_to_refresh();
}

void ClientSession::ask_backend_to_refresh() {
  asking_backend_ = true;
  environment_.gate.refresh_by_backend(caller_, *admitted_, later([](ClientSession& self, Verdict<Admitted> verdict) {
                                         self.asking_backend_ = false;
                                         self.on_refreshed_by_backend(std::move(verdict));
                                       }));
}

void ClientSession::on_refreshed_by_backend(Verdict<Admitted> verdict) {
  if (auto* admitted = std::get_if<Admitted>(&verdict)) return renew(std::move(*admitted));
  if (const auto* reason = std::get_if<DisconnectReason>(&verdict)) return drop(*reason);
  if (!std::get<ClientError>(verdict).temporary) return drop(disconnect_reason::expired);
  timers_.set_earlier(Timer::connection, time() + refresh_retry_delay);
}

void ClientSession::renew(Admitted admitted) {
  if (is_past(admitted.expire_at)) return drop(disconnect_reason::expired);
  caller_.meta = admitted.meta;
  admitted_ = std::move(admitted);
  arm_expiry();
}

void ClientSession::start_refresh(std::uint32_t id, const RefreshRequest& request) {
  if (admitted_->refreshed_by_server || request.token.empty()) return drop(disconnect_reason::bad_request);
  environment_.gate.refresh(caller_, *admitted_, request, later([id](ClientSession& self, Verdict<Admitted> verdict) {
                              if (const auto* error = std::get_if<ClientError>(&verdict))
                                return self.answer_refusal(id, *error);
                              if (const auto* reason = std::get_if<DisconnectReason>(&verdict))
                                return self.drop(*reason);
                              self.renew(std::get<Admitted>(std::move(verdict)));
                              if (self.gone()) return;
                              const std::int64_t expire_at = self.admitted_->expire_at;
                              RefreshResult result{self.caller_.client, self.settings_->node_version, expire_at > 0, 0};
                              if (result.expires) result.ttl = self.ttl_until(expire_at);
                              self.answer(id, std::move(result));
                            }));
}

void ClientSession::refresh(const RefreshAnswer& answer, TimePoint now) {
  if (gone() || !admitted_) return;
  const Turn turn(*this, false);
  now_ = now;
  if (answer.expired || is_past(answer.expire_at)) return drop(disconnect_reason::expired);
  Admitted admitted = *admitted_;
  admitted.expire_at = answer.expire_at;
  if (!answer.info.empty()) admitted.info = answer.info;
  if (!answer.meta.empty()) admitted.meta = answer.meta;
  renew(std::move(admitted));
  if (!connected()) return;
  RefreshPush push{answer.expire_at > 0, 0};
  if (push.expires) push.ttl = ttl_until(answer.expire_at);
  outbox_.push(Push{"", 0, push});
}

}  // namespace fairlead::server

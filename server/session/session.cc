// SPDX-License-Identifier: Apache-2.0
#include "session/session.h"

#include "session/client_session.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace fairlead::server {

std::shared_ptr<Session> Session::make(SessionEnvironment& environment, Outbox& outbox, Caller caller, Options options,
                                       TimePoint now) {
  return std::make_shared<ClientSession>(environment, outbox, std::move(caller), std::move(options), now);
}

ClientSession::ClientSession(SessionEnvironment& environment, Outbox& outbox, Caller caller, Options options,
                             TimePoint now)
    : environment_(environment),
      outbox_(outbox),
      settings_(environment.settings),
      caller_(std::move(caller)),
      options_(std::move(options)),
      now_(now),
      commands_limit_(settings_->commands_per_second),
      publishes_limit_(settings_->publishes_per_second),
      subscribes_limit_(settings_->subscribes_per_second),
      rpcs_limit_(settings_->rpcs_per_second) {
  caller_.client = environment_.new_id();
  if (options_.emulated) secret_ = environment_.new_id();
  if (settings_->stale_close_delay.count() > 0) timers_.set(Timer::stale, now + settings_->stale_close_delay);
}

ClientSession::~ClientSession() {
  if (!gone()) end(disconnect_reason::closed);
}

// ── Calls from outside ──────────────────────────────────────────────────────────────────────────────────────────────
ClientSession::Turn::Turn(ClientSession& session, bool by_transport)
    : session_(session), alive_(session.weak_from_this().lock()), by_transport_(by_transport) {
  ++session_.turns_;
}

ClientSession::Turn::~Turn() {
  if (--session_.turns_ == 0 && !by_transport_ && !session_.gone()) session_.outbox_.session_changed();
}

void ClientSession::receive(std::vector<Command> commands, TimePoint now) {
  if (gone()) return;
  const Turn turn(*this, true);
  now_ = now;
  for (Command& command : commands) {
    if (gone()) return;
    if (command.is_pong()) {  // answers no command and waits for none
      on_pong();
    } else {
      waiting_.push_back(std::move(command));
    }
  }
  pump();
}

bool ClientSession::busy() const noexcept {
  return waiting_.size() >= std::max<std::size_t>(settings_->commands_in_flight, 1);
}

void ClientSession::on_drained(TimePoint now) {
  if (gone()) return;
  const Turn turn(*this, true);
  now_ = now;
  flush_all();
}

void ClientSession::closed(TimePoint now) {
  if (gone()) return;
  const Turn turn(*this, true);
  now_ = now;
  end(disconnect_reason::closed);
}

void ClientSession::disconnect(const DisconnectReason& reason, TimePoint now) {
  if (gone()) return;
  const Turn turn(*this, false);
  now_ = now;
  drop(reason);
}

void ClientSession::send(const Payload& data) {
  if (!connected()) return;
  outbox_.push(Push{"", 0, MessagePush{data}});
  if (!gone() && outbox_.queued_bytes() > settings_->queue_max_bytes) on_too_slow();
}

// ── The end ─────────────────────────────────────────────────────────────────────────────────────────────────────────
void ClientSession::drop(const DisconnectReason& reason) {
  if (gone()) return;
  end(reason);
  outbox_.disconnect(reason);
}

// Whatever it holds of the hub, the engine and the directory goes back; answers that still come find nobody.
void ClientSession::end(const DisconnectReason& reason) {
  const bool was_connected = connected();
  phase_ = Phase::gone;
  timers_.clear();
  waiting_.clear();
  once_connected_.clear();
  once_published_ = nullptr;
  connecting_.reset();
  for (auto& [channel, membership] : std::exchange(memberships_, {})) remove(*membership, reason.code, reason.reason);
  if (std::exchange(entered_, false)) environment_.directory.left(*this);
  options_.place.reset();
  trace(TraceKind::disconnected, "", 0, reason.code, reason.reason);
  if (!was_connected) return;
  ++environment_.metrics.disconnected;
  append_event("disconnected", "", reason.code, reason.reason);
}

// ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────────────
void ClientSession::on_deadline(TimePoint now) {
  if (gone()) return;
  const Turn turn(*this, true);
  now_ = now;
  while (const auto timer = timers_.take_due(now)) fire(*timer);
}

void ClientSession::fire(Timer timer) {
  switch (timer) {
    case Timer::stale:
      return drop(disconnect_reason::stale);
    case Timer::ping:
      return on_ping_due();
    case Timer::pong:
      return on_pong_missing();
    case Timer::connection:
      return on_expiry_due();
    case Timer::subscription:
      return on_subscription_due();
    case Timer::presence:
      return renew_presence();
    case Timer::position:
      return check_positions();
    case Timer::position_recheck:
      return recheck_positions();
    case Timer::sampling:
      return flush_all();
  }
}

// The first one comes at a random time in the second half of the interval, so that the pings of clients that came
// together do not stay together.
void ClientSession::start_pings() {
  if (options_.native_ping || settings_->ping_interval.count() <= 0) return;
  const double share = 0.5 + environment_.random() / 2;
  timers_.set(Timer::ping, now_ + std::chrono::duration_cast<Duration>(settings_->ping_interval * share));
}

void ClientSession::on_ping_due() {
  timers_.set(Timer::ping, now_ + settings_->ping_interval);
  if (!options_.unidirectional && settings_->pong_timeout.count() > 0 && !timers_.is_set(Timer::pong))
    timers_.set(Timer::pong, now_ + settings_->pong_timeout);
  look_whether_all_is_taken();
  outbox_.ping();
}

// For the trace, which asks what a client that is too slow has still got: now and then is enough.
void ClientSession::look_whether_all_is_taken() {
  if (outbox_.queued_bytes() == 0) taken_until_ms_ = wall_milliseconds();
}

// While the transport does not read for us the answer may lie there already.
void ClientSession::on_pong_missing() {
  if (busy()) return timers_.set(Timer::pong, now_ + settings_->pong_timeout);
  drop(disconnect_reason::no_pong);
}

void ClientSession::on_pong() {
  if (!timers_.is_set(Timer::pong)) return drop(disconnect_reason::bad_request);
  timers_.clear(Timer::pong);
  look_whether_all_is_taken();
}

TimePoint ClientSession::time() const { return environment_.clock ? environment_.clock() : now_; }

std::int64_t ClientSession::wall_seconds() const { return wall_milliseconds() / 1'000; }

std::int64_t ClientSession::wall_milliseconds() const {
  const auto since_epoch = environment_.wall_clock().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
}

// SDKs keep the time in a timer of 32 bits of milliseconds, so a year is as good as never.
std::uint32_t ClientSession::ttl_until(std::int64_t expire_at) const {
  constexpr std::int64_t year = 365LL * 24 * 60 * 60;
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(expire_at - wall_seconds(), 0, year));
}

TimePoint ClientSession::moment_of(std::int64_t expire_at) const {
  constexpr std::int64_t far_milliseconds = 365LL * 24 * 60 * 60 * 1'000;
  if (expire_at > wall_seconds() + far_milliseconds / 1'000)
    return time() + std::chrono::milliseconds(far_milliseconds);
  return time() + std::chrono::milliseconds(std::max<std::int64_t>(expire_at * 1'000 - wall_milliseconds(), 0));
}

// ── What is told to others ──────────────────────────────────────────────────────────────────────────────────────────
void ClientSession::append_event(const char* kind, const std::string& channel, std::uint32_t code,
                                 const std::string& reason) {
  LifecycleEvent event;
  event.time_ms = wall_milliseconds();
  event.kind = kind;
  event.client = caller_.client;
  event.user = caller_.user;
  event.channel = channel;
  event.code = code;
  event.reason = reason;
  environment_.events.append(std::move(event), [](const Outcome<std::uint64_t>&) {});
}

void ClientSession::trace(TraceKind kind, const std::string& channel, std::uint64_t offset, std::uint32_t code,
                          const std::string& detail) {
  TraceRecord record = trace_record(kind, channel, offset);
  record.code = code;
  record.detail = detail;
  environment_.trace.add(std::move(record));
}

TraceRecord ClientSession::trace_record(TraceKind kind, const std::string& channel, std::uint64_t offset) const {
  TraceRecord record;
  record.time_ms = wall_milliseconds();
  record.kind = kind;
  record.client = caller_.client;
  record.user = caller_.user;
  record.channel = channel;
  record.offset = offset;
  return record;
}

}  // namespace fairlead::server

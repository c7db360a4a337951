// SPDX-License-Identifier: Apache-2.0
// Commands: strictly one after the other, at a bounded pace. One that waits for an answer holds back the later ones;
// publications alone, once they are judged, go to the engine one after the other without waiting for its answers, as
// long as they are of one kind (broker.h: only then do they keep their order).
#include "session/client_session.h"

#include "broker/options.h"
#include "model/json.h"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace fairlead::server {

namespace {

ClientError error_of(const Fault&) {
  return client_error::internal;  // the sentence is for the operator
}

}  // namespace

// ── Order ───────────────────────────────────────────────────────────────────────────────────────────────────────────
void ClientSession::pump() {
  if (pumping_) return;
  pumping_ = true;
  while (!gone() && !waiting_.empty() && !held()) {
    Command command = std::move(waiting_.front());
    waiting_.pop_front();
    start(std::move(command));
  }
  pumping_ = false;
}

bool ClientSession::held() const noexcept {
  if (in_progress_) return true;
  if (publishing_ == 0) return false;
  return publishing_ >= settings_->commands_in_flight || !std::holds_alternative<PublishRequest>(waiting_.front().body);
}

void ClientSession::finish() {
  in_progress_ = false;
  pump();
}

void ClientSession::start(Command command) {
  const bool is_send = std::holds_alternative<SendRequest>(command.body);
  if (command.id == 0 && !is_send) return drop(disconnect_reason::bad_request);
  ++environment_.metrics.commands;
  if (auto* connect = std::get_if<ConnectRequest>(&command.body)) return start_connect(command.id, std::move(*connect));
  if (!connected() || options_.unidirectional) return drop(disconnect_reason::bad_request);
  if (!within_pace(command)) return;
  in_progress_ = true;
  start_body(command);
}

void ClientSession::start_body(Command& command) {
  const std::uint32_t id = command.id;
  std::visit(
      [this, id](auto& request) {
        using Request = std::decay_t<decltype(request)>;
        if constexpr (requires { request.channel; }) {
          if (request.channel.empty()) return drop(disconnect_reason::bad_request);
        }
        if constexpr (std::is_same_v<Request, SubscribeRequest>) {
          in_turn([id, asked = std::move(request)](ClientSession& self) mutable {
            self.start_subscribe(id, std::move(asked));
          });
        } else if constexpr (std::is_same_v<Request, PublishRequest>) {
          start_publish(id, std::move(request));
        } else if constexpr (std::is_same_v<Request, UnsubscribeRequest>) {
          start_unsubscribe(id, request);
        } else if constexpr (std::is_same_v<Request, PresenceRequest>) {
          in_turn([id, asked = std::move(request)](ClientSession& self) { self.start_presence(id, asked); });
        } else if constexpr (std::is_same_v<Request, PresenceStatsRequest>) {
          start_presence_stats(id, request);
        } else if constexpr (std::is_same_v<Request, HistoryRequest>) {
          in_turn([id, asked = std::move(request)](ClientSession& self) { self.start_history(id, asked); });
        } else if constexpr (std::is_same_v<Request, RpcRequest>) {
          start_rpc(id, request);
        } else if constexpr (std::is_same_v<Request, RefreshRequest>) {
          start_refresh(id, request);
        } else if constexpr (std::is_same_v<Request, SubRefreshRequest>) {
          start_sub_refresh(id, request);
        } else if constexpr (std::is_same_v<Request, PingRequest>) {
          answer_refusal(id, client_error::not_available);  // pings are the server's
        } else if constexpr (std::is_same_v<Request, SendRequest>) {
          drop(disconnect_reason::not_available);  // nobody takes messages without an answer
        } else {
          drop(disconnect_reason::bad_request);
        }
      },
      command.body);
}

// ── Pace ────────────────────────────────────────────────────────────────────────────────────────────────────────────
bool ClientSession::within_pace(const Command& command) {
  const Pace pace = pace_of(command);
  if (pace == Pace::within) return true;
  if (pace == Pace::far_over) {
    drop(disconnect_reason::too_many_requests);
  } else if (command.id > 0) {
    reply_refusal(command.id, client_error::too_many_requests);
  }
  return false;
}

Pace ClientSession::pace_of(const Command& command) {
  const SessionSettings& settings = *settings_;
  const Pace all = pace_of(commands_limit_, UserOperation::command, settings.user_commands_per_second);
  if (all != Pace::within) return all;
  if (std::holds_alternative<SubscribeRequest>(command.body))
    return pace_of(subscribes_limit_, UserOperation::subscribe, settings.user_subscribes_per_second);
  if (std::holds_alternative<RpcRequest>(command.body))
    return pace_of(rpcs_limit_, UserOperation::rpc, settings.user_rpcs_per_second);
  if (!std::holds_alternative<PublishRequest>(command.body)) return Pace::within;
  return pace_of(publishes_limit_, UserOperation::publish, settings.user_publishes_per_second);
}

// This connection's own pace, then that of all connections of its user together.
Pace ClientSession::pace_of(RateLimit& own, UserOperation operation, double together) {
  const Pace pace = own.take(now_);
  if (pace != Pace::within || together <= 0 || caller_.user.empty()) return pace;
  return environment_.directory.take_of_user(caller_.user, operation, together) ? Pace::within : Pace::over;
}

// ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────
void ClientSession::reply_refusal(std::uint32_t id, const Refusal& refusal) {
  if (const auto* reason = std::get_if<DisconnectReason>(&refusal)) return drop(*reason);
  ++environment_.metrics.errors;
  ++errors_;
  reply(id, std::get<ClientError>(refusal));
  if (settings_->max_errors > 0 && errors_ > settings_->max_errors) drop(disconnect_reason::too_many_errors);
}

void ClientSession::answer_refusal(std::uint32_t id, const Refusal& refusal) {
  reply_refusal(id, refusal);
  finish();
}

// ── Publish ─────────────────────────────────────────────────────────────────────────────────────────────────────────
void ClientSession::start_publish(std::uint32_t id, PublishRequest request) {
  if (request.data.empty() || request.type != 0) return answer_refusal(id, client_error::bad_request);
  const bool listens = subscribed(request.channel);
  const PublishRequest asked = request;
  environment_.gate.publish(
      caller_, *admitted_, asked, listens,
      later([id, request = std::move(request)](ClientSession& self, Verdict<PublishAnswer> verdict) mutable {
        if (auto* answer = std::get_if<PublishAnswer>(&verdict))
          return self.publish_judged(id, std::move(request), std::move(*answer));
        if (const auto* reason = std::get_if<DisconnectReason>(&verdict)) return self.drop(*reason);
        const ClientError error = std::get<ClientError>(verdict);
        if (error.code == client_error::permission_denied.code)
          self.trace(TraceKind::refused, request.channel, 0, error.code, refused_publish);
        self.answer_refusal(id, error);
      }));
}

void ClientSession::publish_judged(std::uint32_t id, PublishRequest request, PublishAnswer verdict) {
  auto known = environment_.gate.server_subscription(request.channel, {});
  if (const auto* error = std::get_if<ClientError>(&known)) return answer_refusal(id, *error);
  const ChannelOptions& options = std::get<Granted>(known).options;
  PublishOptions how;
  if (!verdict.skip_history) {
    how.history_size = options.history_size;
    how.history_ttl = options.history_ttl;
  }
  how.history_meta_ttl = options.history_meta_ttl;
  how.keep_latest = options.keep_latest_publication;
  how.want_previous = options.delta_publish || verdict.delta;
  how.idempotency_key = std::move(verdict.idempotency_key);
  how.version = verdict.version;
  how.version_epoch = std::move(verdict.version_epoch);
  if (publishing_ == 0 || publishing_kept_ == keeps_anything(how))
    return publish(id, std::move(request), std::move(verdict), std::move(how));
  once_published_ = [id, request = std::move(request), verdict = std::move(verdict),
                     how = std::move(how)](ClientSession& self) mutable {
    self.publish(id, std::move(request), std::move(verdict), std::move(how));
  };
}

void ClientSession::publish(std::uint32_t id, PublishRequest request, PublishAnswer verdict, PublishOptions how) {
  ++publishing_;
  publishing_kept_ = keeps_anything(how);
  environment_.broker.publish(
      request.channel, publication_of(request, verdict), std::move(how),
      later([id](ClientSession& self, const Outcome<PublishOutcome>& outcome) { self.on_published(id, outcome); }));
  finish();
}

void ClientSession::on_published(std::uint32_t id, const Outcome<PublishOutcome>& outcome) {
  --publishing_;
  if (outcome) {
    reply(id, PublishResult{});
  } else {
    reply_refusal(id, error_of(outcome.error()));
  }
  if (gone()) return;
  if (publishing_ == 0 && once_published_) return std::exchange(once_published_, nullptr)(*this);
  pump();
}

// What JSON clients send is JSON without line breaks, by their codec; of all others it has to be found out.
Publication ClientSession::publication_of(PublishRequest& request, PublishAnswer& verdict) {
  Publication publication;
  const bool proven = outbox_.format() == WireFormat::json && !verdict.data;
  publication.data = verdict.data ? std::move(*verdict.data) : std::move(request.data);
  if (!proven) {
    auto compact = compact_json(publication.data);
    publication.json = compact.has_value();
    if (compact) publication.data = std::move(*compact);
  }
  publication.tags = std::move(verdict.tags);
  publication.key = std::move(request.key);
  publication.version = verdict.version;
  publication.time_ms = wall_milliseconds();
  const MembershipPtr membership = membership_of(request.channel);
  publication.info = std::make_shared<const ClientInfo>(
      membership ? info_of(*membership) : ClientInfo{caller_.user, caller_.client, admitted_->info, {}});
  return publication;
}

// ── Questions ───────────────────────────────────────────────────────────────────────────────────────────────────────
// Idempotent: who is not subscribed is unsubscribed already.
void ClientSession::start_unsubscribe(std::uint32_t id, const UnsubscribeRequest& request) {
  if (subscribed(request.channel)) remove(request.channel, 0, "client unsubscribed");
  answer(id, UnsubscribeResult{});
}

void ClientSession::start_presence(std::uint32_t id, const PresenceRequest& request) {
  const auto allowed = environment_.gate.presence(*admitted_, request.channel, subscribed(request.channel));
  if (const auto* error = std::get_if<ClientError>(&allowed)) return answer_refusal(id, *error);
  environment_.broker.presence(request.channel, later([id](ClientSession& self, Outcome<Presence> outcome) {
                                 if (!outcome) return self.answer_refusal(id, error_of(outcome.error()));
                                 self.answer(id, PresenceResult{std::move(*outcome)});
                               }));
}

void ClientSession::start_presence_stats(std::uint32_t id, const PresenceStatsRequest& request) {
  const auto allowed = environment_.gate.presence(*admitted_, request.channel, subscribed(request.channel));
  if (const auto* error = std::get_if<ClientError>(&allowed)) return answer_refusal(id, *error);
  environment_.broker.presence_stats(request.channel,
                                     later([id](ClientSession& self, const Outcome<PresenceStats>& outcome) {
                                       if (!outcome) return self.answer_refusal(id, error_of(outcome.error()));
                                       self.answer(id, PresenceStatsResult{*outcome});
                                     }));
}

void ClientSession::start_history(std::uint32_t id, const HistoryRequest& request) {
  const auto allowed = environment_.gate.history(*admitted_, request.channel, subscribed(request.channel));
  if (const auto* error = std::get_if<ClientError>(&allowed)) return answer_refusal(id, *error);
  const auto& options = std::get<ChannelOptions>(allowed);
  const std::size_t most = settings_->history_max_publication_limit;
  HistoryQuery query;
  query.since = request.since;
  query.limit = request.limit < 0 ? most : std::min(static_cast<std::size_t>(request.limit), most);
  query.reverse = request.reverse;
  query.history_ttl = options.history_ttl;
  query.history_meta_ttl = options.history_meta_ttl;
  const std::string epoch = request.since ? request.since->epoch : std::string();
  environment_.broker.history(request.channel, std::move(query),
                              later([id, epoch](ClientSession& self, Outcome<History> outcome) {
                                if (!outcome) return self.answer_refusal(id, error_of(outcome.error()));
                                if (!epoch.empty() && epoch != outcome->top.epoch)
                                  return self.answer_refusal(id, client_error::unrecoverable_position);
                                self.answer(id, HistoryResult{std::move(outcome->publications), outcome->top});
                              }));
}

void ClientSession::start_rpc(std::uint32_t id, const RpcRequest& request) {
  environment_.gate.rpc(caller_, *admitted_, request, later([id](ClientSession& self, Verdict<RpcAnswer> verdict) {
                          if (const auto* reason = std::get_if<DisconnectReason>(&verdict)) return self.drop(*reason);
                          if (const auto* error = std::get_if<ClientError>(&verdict))
                            return self.answer_refusal(id, *error);
                          self.answer(id, RpcResult{std::move(std::get<RpcAnswer>(verdict).data)});
                        }));
}

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
#include "auth/gatekeeper.h"

#include "auth/permissions.h"
#include "auth/policy.h"
#include "auth/rpc.h"

#include <chrono>
#include <utility>

namespace fairlead::server {
namespace {

using PolicyPtr = std::shared_ptr<const Policy>;

template <class Answer, class From>
Verdict<Answer> passed_on(From&& verdict) {
  if (auto* error = std::get_if<ClientError>(&verdict)) return std::move(*error);
  return std::move(std::get<DisconnectReason>(verdict));
}

class Keeper final : public Gatekeeper, public std::enable_shared_from_this<Keeper> {
 public:
  explicit Keeper(GatekeeperParts parts) : parts_(std::move(parts)) {}

  void connect(const Caller& who, const ConnectRequest& request, Judged<Admitted> judged) override {
    const PolicyPtr policy = parts_.policy();
    const AuthSettings& auth = policy->auth;
    auto finish = [self = shared_from_this(), policy, wanted = request.subs, judged = std::move(judged)](
                      Verdict<Admitted> verdict) { judged(self->with_channels(*policy, wanted, std::move(verdict))); };
    if (!request.token.empty()) return connect_by_token(policy, request.token, std::move(finish));
    if (auth.connect_proxy_enabled && parts_.backend != nullptr)
      return connect_by_backend(policy, who, request, std::move(finish));
    if (auth.allow_anonymous_connect_without_token || auth.insecure) return finish(Admitted{});
    finish(disconnect_reason::bad_request);
  }

  void refresh(const Caller& /*who*/, const Admitted& admitted, const RefreshRequest& request,
               Judged<Admitted> judged) override {
    const PolicyPtr policy = parts_.policy();
    if (policy->auth.refresh_proxy_enabled || request.token.empty()) return judged(disconnect_reason::bad_request);
    auto answer = [self = shared_from_this(), policy, admitted,
                   judged = std::move(judged)](std::expected<ConnectionClaims, TokenFault> claims) {
      judged(self->refreshed(*policy, admitted, std::move(claims)));
    };
    verify(&TokenVerifier::connection, policy->connection_tokens, request.token, std::move(answer));
  }

  void refresh_by_backend(const Caller& who, const Admitted& admitted, Judged<Admitted> judged) override {
    if (parts_.backend == nullptr) return judged(disconnect_reason::expired);
    parts_.backend->refresh(as_known(who, admitted), [self = shared_from_this(), admitted,
                                                      judged = std::move(judged)](Verdict<RefreshAnswer> verdict) {
      auto* answer = std::get_if<RefreshAnswer>(&verdict);
      if (answer == nullptr) return judged(passed_on<Admitted>(std::move(verdict)));
      if (answer->expired || self->is_over(answer->expire_at)) return judged(disconnect_reason::expired);
      Admitted next = admitted;
      next.expire_at = answer->expire_at;
      if (!answer->info.empty()) next.info = std::move(answer->info);
      if (!answer->meta.empty()) next.meta = std::move(answer->meta);
      judged(std::move(next));
    });
  }

  void subscribe(const Caller& who, const Admitted& admitted, const SubscribeRequest& request,
                 Judged<Granted> judged) override {
    const PolicyPtr policy = parts_.policy();
    if (request.channel.empty()) return judged(disconnect_reason::bad_request);
    const auto channel = known_channel(*policy, request.channel);
    if (!channel) return judged(channel.error());
    if (!has_valid_name(*policy, *channel)) return judged(client_error::bad_request);
    if (!request.token.empty()) return subscribe_by_token(policy, who, admitted, request, std::move(judged));
    if (channel->name.is_private) return judged(client_error::permission_denied);
    if (is_user_limited(*policy, *channel)) {
      if (!is_one_of_them(*channel, admitted.user)) return judged(client_error::permission_denied);
      return judged(Granted{*channel->options, {}, {}, 0, false});
    }
    if (is_capable(admitted, request.channel, Operation::subscribe))
      return judged(Granted{*channel->options, {}, {}, 0, false});
    if (channel->options->subscribe_proxy_enabled && parts_.backend != nullptr)
      return subscribe_by_backend(who, admitted, request, *channel->options, std::move(judged));
    if (!is_allowed(*policy, admitted, *channel->options, request.channel, Operation::subscribe, false))
      return judged(client_error::permission_denied);
    judged(Granted{*channel->options, {}, {}, 0, false});
  }

  void sub_refresh(const Caller& who, const Admitted& admitted, const Granted& granted,
                   const SubRefreshRequest& request, Judged<Granted> judged) override {
    if (granted.options.sub_refresh_proxy_enabled && parts_.backend != nullptr)
      return sub_refresh_by_backend(who, admitted, granted, request, std::move(judged));
    if (request.token.empty()) return judged(disconnect_reason::bad_request);
    const PolicyPtr policy = parts_.policy();
    auto answer = [self = shared_from_this(), policy, who, admitted, granted, channel = request.channel,
                   judged = std::move(judged)](std::expected<SubscriptionClaims, TokenFault> claims) {
      auto verdict = self->subscribed_by(*policy, who, admitted, channel, granted.options, claims,
                                         disconnect_reason::invalid_token);
      auto* next = std::get_if<Granted>(&verdict);
      if (next == nullptr) return judged(std::move(verdict));
      Granted result = granted;
      result.expire_at = next->expire_at;
      result.info = std::move(next->info);
      result.token = std::move(next->token);
      judged(std::move(result));
    };
    verify(&TokenVerifier::subscription, policy->subscription_tokens, request.token, std::move(answer));
  }

  void publish(const Caller& who, const Admitted& admitted, const PublishRequest& request, bool subscribed,
               Judged<PublishAnswer> judged) override {
    const PolicyPtr policy = parts_.policy();
    const auto channel = known_channel(*policy, request.channel);
    if (!channel) return judged(channel.error());
    const ChannelOptions& options = *channel->options;
    if (request.data.empty() || !has_format(request.data, options.publication_data_format))
      return judged(client_error::bad_request);
    // The backend judges alone when it is asked.
    if (options.publish_proxy_enabled && parts_.backend != nullptr)
      return parts_.backend->publish(proxy_name(options.publish_proxy_name, "publish"),
                                     {as_known(who, admitted), request.channel, request.data}, std::move(judged));
    if (!is_allowed(*policy, admitted, options, request.channel, Operation::publish, subscribed))
      return judged(client_error::permission_denied);
    judged(PublishAnswer{});
  }

  void rpc(const Caller& who, const Admitted& admitted, const RpcRequest& request, Judged<RpcAnswer> judged) override {
    const PolicyPtr policy = parts_.policy();
    ask_rpc(policy->auth.rpc, parts_.backend, {as_known(who, admitted), request.method, request.data},
            std::move(judged));
  }

  std::variant<ChannelOptions, ClientError> presence(const Admitted& admitted, const std::string& channel,
                                                     bool subscribed) override {
    return asked(admitted, channel, subscribed, Operation::presence);
  }
  std::variant<ChannelOptions, ClientError> history(const Admitted& admitted, const std::string& channel,
                                                    bool subscribed) override {
    return asked(admitted, channel, subscribed, Operation::history);
  }

  std::variant<Granted, ClientError> server_subscription(const std::string& channel,
                                                         const ServerSubscription& subscription) override {
    const PolicyPtr policy = parts_.policy();
    const auto known = known_channel(*policy, channel);
    if (!known) return known.error();
    return Granted{overridden(*known->options, subscription.overrides), subscription.info, subscription.data,
                   subscription.expire_at, false};
  }

 private:
  // ── Asking ────────────────────────────────────────────────────────────────────────────────────────────────────────

  template <class Method, class Answer>
  void verify(Method method, const std::shared_ptr<TokenVerifier>& verifier, const std::string& token, Answer answer) {
    ((*verifier).*method)(token, parts_.wall_clock(), std::move(answer), parts_.post);
  }

  static Caller as_known(Caller who, const Admitted& admitted) {
    who.user = admitted.user;
    who.meta = admitted.meta;
    return who;
  }
  [[nodiscard]] bool is_over(std::int64_t expire_at) const {
    const auto now = std::chrono::floor<std::chrono::seconds>(parts_.wall_clock().time_since_epoch()).count();
    return expire_at != 0 && expire_at <= now;
  }
  template <class Claims>
  [[nodiscard]] bool is_revoked(const Claims& claims) const {
    return parts_.revocations != nullptr &&
           parts_.revocations->is_revoked(claims.user, claims.id, claims.issued_at, parts_.wall_clock());
  }

  // ── Connections ───────────────────────────────────────────────────────────────────────────────────────────────────

  void connect_by_token(const PolicyPtr& policy, const std::string& token, Judged<Admitted> finish) {
    auto answer = [self = shared_from_this(), policy,
                   finish = std::move(finish)](std::expected<ConnectionClaims, TokenFault> claims) {
      if (claims) return finish(self->admitted_by(*policy, std::move(*claims)));
      if (claims.error().unavailable) return finish(client_error::internal);
      if (claims.error().expired) return finish(client_error::token_expired);
      finish(disconnect_reason::invalid_token);
    };
    verify(&TokenVerifier::connection, policy->connection_tokens, token, std::move(answer));
  }

  [[nodiscard]] Verdict<Admitted> admitted_by(const Policy& policy, ConnectionClaims claims) const {
    if (is_revoked(claims)) return disconnect_reason::invalid_token;
    if (claims.user.empty() && policy.auth.disallow_anonymous_connection_tokens)
      return disconnect_reason::permission_denied;
    // Nothing expires in insecure mode, or a demonstration would end after the token's minutes.
    if (policy.auth.insecure) claims.expire_at = 0;
    if (is_over(claims.expire_at)) return client_error::expired;
    Admitted result;
    for (const std::string& channel : claims.channels) result.subs.emplace(channel, ServerSubscription{});
    for (auto& [channel, subscription] : claims.subs) result.subs.insert_or_assign(channel, std::move(subscription));
    result.user = std::move(claims.user);
    result.expire_at = claims.expire_at;
    result.refreshed_by_server = policy.auth.refresh_proxy_enabled;
    result.token_id = std::move(claims.id);
    result.issued_at = claims.issued_at;
    result.info = std::move(claims.info);
    result.meta = std::move(claims.meta);
    result.capabilities = std::move(claims.capabilities);
    return result;
  }

  void connect_by_backend(const PolicyPtr& policy, const Caller& who, const ConnectRequest& request,
                          Judged<Admitted> finish) {
    ConnectQuestion question{who, request.name, request.version, request.data, {}};
    for (const auto& [channel, position] : request.subs) question.channels.push_back(channel);
    parts_.backend->connect(std::move(question), [self = shared_from_this(), policy,
                                                  finish = std::move(finish)](Verdict<ConnectAnswer> verdict) {
      auto* answer = std::get_if<ConnectAnswer>(&verdict);
      if (answer == nullptr) return finish(passed_on<Admitted>(std::move(verdict)));
      if (self->is_over(answer->expire_at)) return finish(client_error::expired);
      Admitted result;
      result.user = std::move(answer->user);
      result.expire_at = policy->auth.insecure ? 0 : answer->expire_at;
      result.refreshed_by_server = policy->auth.refresh_proxy_enabled;
      result.info = std::move(answer->info);
      result.data = std::move(answer->data);
      result.meta = std::move(answer->meta);
      for (const std::string& channel : answer->channels) result.subs.emplace(channel, ServerSubscription{});
      for (auto& [channel, subscription] : answer->subs) result.subs.insert_or_assign(channel, std::move(subscription));
      finish(std::move(result));
    });
  }

  // The personal channel, and what the client asks for and may have by itself; the rest of that is silently left out.
  [[nodiscard]] Verdict<Admitted> with_channels(const Policy& policy,
                                                const std::map<std::string, SubscribeRequest>& wanted,
                                                Verdict<Admitted> verdict) const {
    auto* admitted = std::get_if<Admitted>(&verdict);
    if (admitted == nullptr) return verdict;
    if (policy.auth.personal_channel.enabled && !admitted->user.empty()) add_personal_channel(policy, *admitted);
    for (const auto& [channel, position] : wanted)
      if (may_have(policy, *admitted, channel)) admitted->subs.emplace(channel, ServerSubscription{});
    return verdict;
  }
  void add_personal_channel(const Policy& policy, Admitted& admitted) const {
    if (auto channel = personal_channel(policy, admitted.user)) {
      admitted.subs.emplace(std::move(*channel), ServerSubscription{});
    } else if (parts_.warn) {
      parts_.warn("a user connects without a personal channel: " + std::string(channel.error()));
    }
  }
  static bool may_have(const Policy& policy, const Admitted& admitted, const std::string& channel) {
    const auto known = known_channel(policy, channel);
    if (!known || known->name.is_private || !has_valid_name(policy, *known)) return false;
    if (is_user_limited(policy, *known)) return is_one_of_them(*known, admitted.user);
    if (known->options->subscribe_proxy_enabled && !is_capable(admitted, channel, Operation::subscribe)) return false;
    return is_allowed(policy, admitted, *known->options, channel, Operation::subscribe, false);
  }

  [[nodiscard]] Verdict<Admitted> refreshed(const Policy& policy, const Admitted& admitted,
                                            std::expected<ConnectionClaims, TokenFault> claims) const {
    if (!claims) {
      if (claims.error().unavailable) return client_error::internal;
      return claims.error().expired ? disconnect_reason::expired : disconnect_reason::invalid_token;
    }
    if (claims->user != admitted.user || is_revoked(*claims)) return disconnect_reason::invalid_token;
    if (policy.auth.insecure) claims->expire_at = 0;
    if (is_over(claims->expire_at)) return disconnect_reason::expired;
    Admitted next = admitted;
    next.expire_at = claims->expire_at;
    next.token_id = std::move(claims->id);
    next.issued_at = claims->issued_at;
    if (!claims->info.empty()) next.info = std::move(claims->info);
    if (!claims->meta.empty()) next.meta = std::move(claims->meta);
    next.capabilities = std::move(claims->capabilities);
    return next;
  }

  // ── Subscriptions ─────────────────────────────────────────────────────────────────────────────────────────────────

  void subscribe_by_token(const PolicyPtr& policy, const Caller& who, const Admitted& admitted,
                          const SubscribeRequest& request, Judged<Granted> judged) {
    auto answer = [self = shared_from_this(), policy, who, admitted, channel = request.channel,
                   judged = std::move(judged)](const std::expected<SubscriptionClaims, TokenFault>& claims) {
      const auto known = known_channel(*policy, channel);
      if (!known) return judged(known.error());
      judged(self->subscribed_by(*policy, who, admitted, channel, *known->options, claims,
                                 client_error::permission_denied));
    };
    verify(&TokenVerifier::subscription, policy->subscription_tokens, request.token, std::move(answer));
  }

  [[nodiscard]] Verdict<Granted> subscribed_by(const Policy& policy, const Caller& who, const Admitted& admitted,
                                               const std::string& channel, const ChannelOptions& options,
                                               const std::expected<SubscriptionClaims, TokenFault>& claims,
                                               const Verdict<Granted>& when_invalid) const {
    if (!claims) {
      if (claims.error().unavailable) return client_error::internal;
      if (claims.error().expired) return client_error::token_expired;
      return when_invalid;
    }
    const bool pinned = !claims->client.empty() && claims->client != who.client;
    // A token that was made for somebody or something else is an attempt, not a mistake.
    if (claims->channel != channel || claims->user != admitted.user || pinned) return disconnect_reason::invalid_token;
    if (is_revoked(*claims)) return when_invalid;
    const std::int64_t expire_at = policy.auth.insecure ? 0 : claims->expire_at;
    if (is_over(expire_at)) return client_error::expired;
    return Granted{overridden(options, claims->overrides),
                   claims->info,
                   claims->data,
                   expire_at,
                   options.sub_refresh_proxy_enabled,
                   TokenIdentity{claims->id, claims->issued_at}};
  }

  void subscribe_by_backend(const Caller& who, const Admitted& admitted, const SubscribeRequest& request,
                            const ChannelOptions& options, Judged<Granted> judged) {
    parts_.backend->subscribe(
        proxy_name(options.subscribe_proxy_name, "subscribe"),
        {as_known(who, admitted), request.channel, request.token, request.data},
        [self = shared_from_this(), options, judged = std::move(judged)](Verdict<SubscribeAnswer> verdict) {
          auto* answer = std::get_if<SubscribeAnswer>(&verdict);
          if (answer == nullptr) return judged(passed_on<Granted>(std::move(verdict)));
          if (self->is_over(answer->expire_at)) return judged(client_error::expired);
          judged(Granted{overridden(options, answer->overrides), std::move(answer->info), std::move(answer->data),
                         answer->expire_at, options.sub_refresh_proxy_enabled});
        });
  }

  void sub_refresh_by_backend(const Caller& who, const Admitted& admitted, const Granted& granted,
                              const SubRefreshRequest& request, Judged<Granted> judged) {
    parts_.backend->sub_refresh(
        proxy_name(granted.options.sub_refresh_proxy_name, "sub_refresh"), as_known(who, admitted), request.channel,
        [self = shared_from_this(), granted, judged = std::move(judged)](Verdict<RefreshAnswer> verdict) {
          auto* answer = std::get_if<RefreshAnswer>(&verdict);
          if (answer == nullptr) return judged(passed_on<Granted>(std::move(verdict)));
          if (answer->expired || self->is_over(answer->expire_at)) return judged(client_error::expired);
          Granted next = granted;
          next.expire_at = answer->expire_at;
          if (!answer->info.empty()) next.info = std::move(answer->info);
          judged(std::move(next));
        });
  }

  // What is off is off for everybody; then the permissions.
  [[nodiscard]] std::variant<ChannelOptions, ClientError> asked(const Admitted& admitted, const std::string& channel,
                                                                bool subscribed, Operation operation) const {
    const PolicyPtr policy = parts_.policy();
    const auto known = known_channel(*policy, channel);
    if (!known) return known.error();
    const ChannelOptions& options = *known->options;
    const bool is_on = operation == Operation::presence ? options.presence : options.has_history();
    if (!is_on) return client_error::not_available;
    if (!is_allowed(*policy, admitted, options, channel, operation, subscribed)) return client_error::permission_denied;
    return options;
  }

  GatekeeperParts parts_;
};

}  // namespace

std::shared_ptr<Gatekeeper> make_gatekeeper(GatekeeperParts parts) {
  return std::make_shared<Keeper>(std::move(parts));
}

}  // namespace fairlead::server

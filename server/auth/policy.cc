// SPDX-License-Identifier: Apache-2.0
#include "auth/policy.h"

#include <utility>

namespace fairlead::server {
namespace {

std::unexpected<Fault> at(std::string key, const Fault& fault) {
  return std::unexpected(Fault{fault.kind, std::move(key) + fault.sentence});
}

Outcome<void> compile(Policy& policy, const std::string& name, const ChannelOptions& options) {
  if (options.channel_regex.empty()) return {};
  auto pattern = Pattern::make(options.channel_regex);
  if (!pattern)
    return std::unexpected(Fault{FaultKind::invalid, "channel_regex of '" + name + "': " + pattern.error()});
  policy.channel_regex.emplace(name, std::move(*pattern));
  return {};
}

}  // namespace

Outcome<std::shared_ptr<const Policy>> make_policy(const AuthSettings& auth, const ChannelSettings& channel,
                                                   const FetchDocument& fetch) {
  auto policy = std::make_shared<Policy>();
  policy->auth = auth;
  policy->channel = channel;
  const bool skip = auth.insecure && auth.insecure_skip_token_signature_verify;
  auto connections = TokenVerifier::make(auth.token, fetch, skip);
  if (!connections) return at("client.token.", connections.error());
  policy->connection_tokens = policy->subscription_tokens = *connections;
  if (auth.subscription_token_enabled) {
    auto subscriptions = TokenVerifier::make(auth.subscription_token, fetch, skip);
    if (!subscriptions) return at("client.subscription_token.", subscriptions.error());
    policy->subscription_tokens = *subscriptions;
  }
  if (auto done = compile(*policy, "", channel.without_namespace); !done) return std::unexpected(done.error());
  for (const auto& [name, options] : channel.namespaces)
    if (auto done = compile(*policy, name, options); !done) return std::unexpected(done.error());
  return policy;
}

}  // namespace fairlead::server

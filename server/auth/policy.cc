// SPDX-License-Identifier: Apache-2.0
#include "auth/policy.h"

#include "auth/key_set.h"
#include "auth/key_set_address.h"

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

bool skips_signatures(const AuthSettings& auth) { return auth.insecure && auth.insecure_skip_token_signature_verify; }

// Whoever has changed the file wants it to be read again.
bool is_read_from_file(const TokenSettings& settings) { return settings.jwks_public_endpoint.starts_with("file:"); }

Outcome<std::shared_ptr<TokenVerifier>> connection_tokens(const AuthSettings& auth, const FetchDocument& fetch,
                                                          const Policy* previous, const KeySetReport& report) {
  const bool same = previous != nullptr && previous->auth.token == auth.token && !is_read_from_file(auth.token) &&
                    skips_signatures(previous->auth) == skips_signatures(auth);
  if (same) return previous->connection_tokens;
  auto made = TokenVerifier::make(auth.token, fetch, skips_signatures(auth), report,
                                  previous == nullptr ? nullptr : previous->connection_tokens.get());
  if (!made) return at("client.token.", made.error());
  return made;
}

Outcome<std::shared_ptr<TokenVerifier>> subscription_tokens(const AuthSettings& auth, const FetchDocument& fetch,
                                                            const Policy* previous, const KeySetReport& report) {
  const bool same = previous != nullptr && previous->auth.subscription_token_enabled &&
                    previous->auth.subscription_token == auth.subscription_token &&
                    !is_read_from_file(auth.subscription_token) &&
                    skips_signatures(previous->auth) == skips_signatures(auth);
  if (same) return previous->subscription_tokens;
  auto made = TokenVerifier::make(auth.subscription_token, fetch, skips_signatures(auth), report,
                                  previous == nullptr ? nullptr : previous->subscription_tokens.get());
  if (!made) return at("client.subscription_token.", made.error());
  return made;
}

// Without the section's name.
std::optional<std::string> fault_of_key_files(const TokenSettings& settings) {
  if (settings.jwks_public_endpoint.empty()) return std::nullopt;
  const auto address = KeySetAddress::make(settings);
  if (!address) return address.error();
  for (const std::string& url : address->all()) {
    if (const auto fault = KeySet::fault_of_file(url)) return "jwks_public_endpoint: " + url + ": " + *fault;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> fault_of_key_files(const AuthSettings& auth) {
  if (const auto fault = fault_of_key_files(auth.token)) return "client.token." + *fault;
  if (!auth.subscription_token_enabled) return std::nullopt;
  if (const auto fault = fault_of_key_files(auth.subscription_token)) return "client.subscription_token." + *fault;
  return std::nullopt;
}

Outcome<std::shared_ptr<const Policy>> make_policy(const AuthSettings& auth, const ChannelSettings& channel,
                                                   const FetchDocument& fetch, const Policy* previous,
                                                   const KeySetReport& report) {
  if (previous != nullptr) {
    if (auto fault = fault_of_key_files(auth)) return std::unexpected(Fault{FaultKind::invalid, std::move(*fault)});
  }
  auto policy = std::make_shared<Policy>();
  policy->auth = auth;
  policy->channel = channel;
  auto connections = connection_tokens(auth, fetch, previous, report);
  if (!connections) return std::unexpected(connections.error());
  policy->connection_tokens = policy->subscription_tokens = *connections;
  if (auth.subscription_token_enabled) {
    auto subscriptions = subscription_tokens(auth, fetch, previous, report);
    if (!subscriptions) return std::unexpected(subscriptions.error());
    policy->subscription_tokens = *subscriptions;
  }
  if (auto done = compile(*policy, "", channel.without_namespace); !done) return std::unexpected(done.error());
  for (const auto& [name, options] : channel.namespaces)
    if (auto done = compile(*policy, name, options); !done) return std::unexpected(done.error());
  return policy;
}

}  // namespace fairlead::server

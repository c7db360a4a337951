// SPDX-License-Identifier: Apache-2.0
// What is configured about trust: the sections `client.token`, `client.subscription_token` and what goes with them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace fairlead::server {

// Keys and rules for one kind of token. A JWKS replaces the static keys.
struct TokenSettings {
  std::string hmac_secret_key;
  std::string hmac_previous_secret_key;                   // still accepted, until…
  std::int64_t hmac_previous_secret_key_valid_until = 0;  // Unix seconds; 0: for ever
  std::string rsa_public_key;                             // PEM
  std::string ecdsa_public_key;                           // PEM
  std::string ed25519_public_key;                         // PEM
  std::string jwks_public_endpoint;                       // https://… or file:…
  std::chrono::milliseconds jwks_refresh{std::chrono::hours(1)};
  std::string audience, audience_regex, issuer, issuer_regex;  // empty: not looked at
  std::string user_id_claim;                                   // instead of "sub"
  std::chrono::milliseconds leeway{0};                         // for clocks that disagree
  friend bool operator==(const TokenSettings&, const TokenSettings&) = default;
  [[nodiscard]] bool has_keys() const noexcept {
    return !(hmac_secret_key.empty() && rsa_public_key.empty() && ecdsa_public_key.empty() &&
             ed25519_public_key.empty() && jwks_public_endpoint.empty());
  }
};

struct PersonalChannelSettings {  // client.subscribe_to_user_personal_channel
  bool enabled = false;
  std::string personal_channel_namespace;
  bool single_connection = false;  // a new connection of the same user ends the others with 3504
};

struct RpcOptions {
  bool proxy_enabled = false;
  std::string proxy_name = "default";
};
struct RpcSettings {  // rpc
  RpcOptions without_namespace;
  std::map<std::string, RpcOptions, std::less<>> namespaces;
  std::string namespace_boundary = ":";
  bool ping_enabled = false;  // the server itself answers this method, with nothing
  std::string ping_method = "ping";
};

struct AuthSettings {
  TokenSettings token;
  bool subscription_token_enabled = false;  // else `token` serves both
  TokenSettings subscription_token;
  bool insecure = false;                              // every permission for everybody: development and tests
  bool insecure_skip_token_signature_verify = false;  // refused outside of `insecure`
  bool allow_anonymous_connect_without_token = false;
  bool disallow_anonymous_connection_tokens = false;
  PersonalChannelSettings personal_channel;
  bool connect_proxy_enabled = false, refresh_proxy_enabled = false;
  RpcSettings rpc;
};

}  // namespace fairlead::server

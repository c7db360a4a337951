// SPDX-License-Identifier: Apache-2.0
// JSON Web Tokens (RFC 7519) of connections and subscriptions: verified by a JOSE library, never `none`, never a public
// key as an HMAC secret; algorithm and key must be of one family.
#pragma once

#include "auth/backend.h"
#include "auth/settings.h"
#include "model/done.h"

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::server {

// What a token lets its bearer do beyond the channels' own permissions.
struct Capability {
  std::vector<std::string> channels;  // exact names, or patterns…
  std::string match;                  // "" exact, "wildcard" (* within the name), "regex"
  bool subscribe = false, publish = false, presence = false, history = false;  // "allow": ["sub","pub","prs","hst"]
};

struct ConnectionClaims {
  std::string user;            // empty: anonymous
  std::int64_t expire_at = 0;  // Unix seconds of the connection's end; 0: never
  std::int64_t issued_at = 0;  // 0: not said
  std::string id;              // jti
  Payload info, meta;
  std::vector<std::string> channels;
  std::map<std::string, ServerSubscription> subs;
  std::vector<Capability> capabilities;
};
struct SubscriptionClaims {
  std::string user, channel, client;  // client: empty when any of the user's
  std::int64_t expire_at = 0, issued_at = 0;
  std::string id;
  Payload info, data;
  SubscriptionOverride overrides;
};

struct TokenFault {
  bool expired = false;      // else invalid; a token that is not yet valid (nbf) counts as expired
  std::string why;           // names the rule, holds nothing of the token
  bool unavailable = false;  // neither: the keys could not be had, so nobody knows; trying again may help
};

// Fetches a document by URL; implemented over HTTP. Any thread.
using FetchDocument = std::function<void(const std::string& url, Done<std::string> done)>;
// Told how each fetching of a set of keys has ended: the set came (`why` is empty), or why it is of no use. Any thread.
using KeySetReport = std::function<void(const std::string& url, const std::string& why)>;

class KeySet;

// Thread-safe. `done` is called within the call when the keys are at hand, else once a JWKS has come: thousands of
// tokens may wait for one, and whoever brings it verifies none of them. Each is handed to its own `later`.
class TokenVerifier {
 public:
  // Runs it elsewhere, soon; called on any thread. Unset: it is run where it is.
  using Later = std::function<void(std::function<void()>)>;
  // A key that cannot be read is a fault, at once.
  // `skip_signatures`: believe every token that can be read (`insecure_skip_token_signature_verify`).
  // `previous`: its sets of keys are taken over where the address is the same, with what they have fetched; but files
  // are read anew, because whoever has changed one wants that.
  [[nodiscard]] static Outcome<std::shared_ptr<TokenVerifier>> make(const TokenSettings& settings,
                                                                    const FetchDocument& fetch,
                                                                    bool skip_signatures = false,
                                                                    const KeySetReport& report = {},
                                                                    const TokenVerifier* previous = nullptr);
  virtual ~TokenVerifier() = default;
  virtual void connection(std::string token, WallTime now,
                          std::function<void(std::expected<ConnectionClaims, TokenFault>)> done, Later later = {}) = 0;
  virtual void subscription(std::string token, WallTime now,
                            std::function<void(std::expected<SubscriptionClaims, TokenFault>)> done,
                            Later later = {}) = 0;
  // The set that is fetched from there, or null.
  [[nodiscard]] virtual std::shared_ptr<KeySet> key_set(const std::string& url) const = 0;
};

}  // namespace fairlead::server

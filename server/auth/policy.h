// SPDX-License-Identifier: Apache-2.0
// What decisions are made by, compiled once from the settings and shared by all loops. A reload makes a new one.
#pragma once

#include "auth/gatekeeper.h"
#include "auth/pattern.h"
#include "auth/revocations.h"
#include "auth/settings.h"
#include "auth/tokens.h"
#include "model/channel.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace fairlead::server {

struct Policy {
  AuthSettings auth;
  ChannelSettings channel;
  std::shared_ptr<TokenVerifier> connection_tokens;
  std::shared_ptr<TokenVerifier> subscription_tokens;         // the same, unless they have keys of their own
  std::map<std::string, Pattern, std::less<>> channel_regex;  // by namespace; "" for channels without one
};
// The sentence of a fault names the key of the configuration that is wrong. What is configured about tokens as it was
// in `previous` is taken over: keys that were fetched need not be fetched again, when that may just now be impossible.
// For the same reason sets of keys in files must be good when there is a `previous`; at a start they may come later.
[[nodiscard]] Outcome<std::shared_ptr<const Policy>> make_policy(const AuthSettings& auth,
                                                                 const ChannelSettings& channel,
                                                                 const FetchDocument& fetch,
                                                                 const Policy* previous = nullptr,
                                                                 const KeySetReport& report = {});

// Reads the sets of keys that lie in files: nothing, or which key of the configuration names one that is of no use, and
// why.
[[nodiscard]] std::optional<std::string> fault_of_key_files(const AuthSettings& auth);

// What one loop's gatekeeper needs. Everything outlives it.
struct GatekeeperParts {
  std::function<std::shared_ptr<const Policy>()> policy;  // the newest; called on the loop
  Backend* backend = nullptr;                             // null: nobody is asked; answers on the loop
  const Revocations* revocations = nullptr;               // null: nothing is revoked
  std::function<WallTime()> wall_clock;
  // Runs it on the loop, when its time has come: many may wait for the same set of keys. Called on any thread.
  std::function<void(std::function<void()>)> post;
  // For the log, one of few sentences as often as its reason occurs; called on the loop. Empty: nobody reads it.
  std::function<void(const std::string& sentence)> warn{};
};
[[nodiscard]] std::shared_ptr<Gatekeeper> make_gatekeeper(GatekeeperParts parts);

}  // namespace fairlead::server

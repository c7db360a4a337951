// SPDX-License-Identifier: Apache-2.0
// The claims of a verified token: which rules they obey, and what they say.
#pragma once

#include "auth/key_set_address.h"
#include "auth/pattern.h"
#include "auth/settings.h"
#include "auth/tokens.h"

#include <optional>
#include <string_view>

namespace fairlead::server {

// What is asked of the claims, compiled.
struct ClaimRules {
  std::string audience, issuer, user_claim;
  std::optional<Pattern> audience_pattern, issuer_pattern;
  std::chrono::milliseconds leeway{0};
  [[nodiscard]] static Outcome<ClaimRules> make(const TokenSettings& settings);
};

[[nodiscard]] std::expected<ConnectionClaims, TokenFault> connection_claims(std::string_view payload,
                                                                            const ClaimRules& rules, WallTime now);
// Issuer and audiences as they stand there, before anything is verified: for finding the keys to verify with.
[[nodiscard]] std::expected<ClaimedOrigin, TokenFault> claimed_origin(std::string_view payload);

[[nodiscard]] std::expected<SubscriptionClaims, TokenFault> subscription_claims(std::string_view payload,
                                                                                const ClaimRules& rules, WallTime now);

}  // namespace fairlead::server

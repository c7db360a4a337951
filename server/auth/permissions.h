// SPDX-License-Identifier: Apache-2.0
// The decisions about channels that need nobody to be asked.
#pragma once

#include "auth/policy.h"

#include <expected>
#include <string>
#include <string_view>

namespace fairlead::server {

enum class Operation : std::uint8_t { subscribe, publish, presence, history };

// A channel that exists for clients: its parts, its options.
struct KnownChannel {
  ChannelName name;               // views into the asked name
  const ChannelOptions* options;  // of the policy
};
[[nodiscard]] std::expected<KnownChannel, ClientError> known_channel(const Policy& policy, std::string_view channel);

// Whether the token's capabilities name the operation for the channel.
[[nodiscard]] bool is_capable(const Admitted& admitted, std::string_view channel, Operation operation);

// allow_…_for_client, …_for_subscriber, …_for_anonymous, capabilities, insecure.
[[nodiscard]] bool is_allowed(const Policy& policy, const Admitted& admitted, const ChannelOptions& options,
                              std::string_view channel, Operation operation, bool subscribed);

// The part of the name that `channel_regex` is about matches, or there is none.
[[nodiscard]] bool has_valid_name(const Policy& policy, const KnownChannel& channel);
// The channel is for some users alone, where such names are allowed or as a personal channel. `is_one_of_them` is asked
// only then.
[[nodiscard]] bool is_user_limited(const Policy& policy, const KnownChannel& channel);
[[nodiscard]] bool is_one_of_them(const KnownChannel& channel, std::string_view user);

[[nodiscard]] ChannelOptions overridden(ChannelOptions options, const SubscriptionOverride& with);
// The channel that is the user's alone, or the rule that forbids such a name for this user.
[[nodiscard]] std::expected<std::string, std::string_view> personal_channel(const Policy& policy,
                                                                            std::string_view user);
// publication_data_format.
[[nodiscard]] bool has_format(const Payload& data, std::string_view format);

}  // namespace fairlead::server

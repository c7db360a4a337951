// SPDX-License-Identifier: Apache-2.0
#include "auth/permissions.h"

#include "model/glob.h"
#include "model/json.h"

#include <algorithm>

namespace fairlead::server {
namespace {

bool names(const Capability& capability, std::string_view channel) {
  return std::ranges::any_of(capability.channels, [&](const std::string& one) {
    if (capability.match.empty()) return one == channel;
    if (capability.match == "wildcard") return matches_glob(one, channel, LetterCase::matters, Wildcards::star_alone);
    const auto pattern = Pattern::make(one);
    return pattern && pattern->matches(channel);
  });
}

bool grants(const Capability& capability, Operation operation) {
  switch (operation) {
    case Operation::subscribe:
      return capability.subscribe;
    case Operation::publish:
      return capability.publish;
    case Operation::presence:
      return capability.presence;
    case Operation::history:
      return capability.history;
  }
  return false;
}

// Of the form of a personal channel, while there are such.
bool is_personal(const Policy& policy, const ChannelName& name) {
  const auto& personal = policy.auth.personal_channel;
  if (!personal.enabled || name.is_private || name.name_space != personal.personal_channel_namespace) return false;
  return name.users && name.users->size() == 1 &&
         name.rest == policy.channel.user_boundary + std::string(name.users->front());
}

struct Permission {
  bool client, subscriber, anonymous;
};
Permission permission(const ChannelOptions& o, Operation operation) {
  switch (operation) {
    case Operation::subscribe:
      return {o.allow_subscribe_for_client, false, o.allow_subscribe_for_anonymous};
    case Operation::publish:
      return {o.allow_publish_for_client, o.allow_publish_for_subscriber, o.allow_publish_for_anonymous};
    case Operation::presence:
      return {o.allow_presence_for_client, o.allow_presence_for_subscriber, o.allow_presence_for_anonymous};
    case Operation::history:
      return {o.allow_history_for_client, o.allow_history_for_subscriber, o.allow_history_for_anonymous};
  }
  return {false, false, false};
}

}  // namespace

std::expected<KnownChannel, ClientError> known_channel(const Policy& policy, std::string_view channel) {
  if (!is_channel_name(channel, policy.channel)) return std::unexpected(client_error::bad_request);
  const ChannelName name = parse_channel(channel, policy.channel);
  const ChannelOptions* options = options_of(name, policy.channel);
  if (options == nullptr) return std::unexpected(client_error::unknown_channel);
  return KnownChannel{name, options};
}

bool is_capable(const Admitted& admitted, std::string_view channel, Operation operation) {
  return std::ranges::any_of(admitted.capabilities,
                             [&](const Capability& one) { return grants(one, operation) && names(one, channel); });
}

bool is_allowed(const Policy& policy, const Admitted& admitted, const ChannelOptions& options, std::string_view channel,
                Operation operation, bool subscribed) {
  const Permission given = permission(options, operation);
  const bool has_name = !admitted.user.empty() || given.anonymous;
  if (has_name && (given.client || (given.subscriber && subscribed))) return true;
  return policy.auth.insecure || is_capable(admitted, channel, operation);
}

bool has_valid_name(const Policy& policy, const KnownChannel& channel) {
  const auto found = policy.channel_regex.find(channel.name.name_space);
  return found == policy.channel_regex.end() || found->second.matches(channel.name.rest);
}

bool is_user_limited(const Policy& policy, const KnownChannel& channel) {
  if (!channel.name.users) return false;
  return channel.options->allow_user_limited_channels || is_personal(policy, channel.name);
}

bool is_one_of_them(const KnownChannel& channel, std::string_view user) {
  return !user.empty() && channel.name.users &&
         std::ranges::find(*channel.name.users, user) != channel.name.users->end();
}

ChannelOptions overridden(ChannelOptions options, const SubscriptionOverride& with) {
  options.presence = with.presence.value_or(options.presence);
  options.join_leave = with.join_leave.value_or(options.join_leave);
  options.force_push_join_leave = with.force_push_join_leave.value_or(options.force_push_join_leave);
  options.force_positioning = with.force_positioning.value_or(options.force_positioning);
  options.force_recovery = with.force_recovery.value_or(options.force_recovery);
  options.slow_policy = with.slow_policy.value_or(options.slow_policy);
  options.slow_queue_messages = with.slow_queue_messages.value_or(options.slow_queue_messages);
  options.slow_sample_per_second = with.slow_sample_per_second.value_or(options.slow_sample_per_second);
  return options;
}

// An id may hold what means something in a name: such a channel would be for others as well, or in another namespace.
std::expected<std::string, std::string_view> personal_channel(const Policy& policy, std::string_view user) {
  const std::string& name_space = policy.auth.personal_channel.personal_channel_namespace;
  std::string name = name_space.empty() ? std::string() : name_space + policy.channel.namespace_boundary;
  name.append(policy.channel.user_boundary).append(user);
  if (!is_channel_name(name, policy.channel))
    return std::unexpected("its name would not be printable ASCII, or be longer than channel.max_length");
  const ChannelName parsed = parse_channel(name, policy.channel);
  if (!is_personal(policy, parsed) || parsed.users->front() != user)
    return std::unexpected("the user's id holds a mark of channel names, so that it would not be this user's alone");
  return name;
}

bool has_format(const Payload& data, std::string_view format) {
  if (format == "json") return is_json(data);
  if (format != "json_object") return true;
  const std::size_t first = data.find_first_not_of(" \t\r\n");
  return first != std::string::npos && data[first] == '{' && is_json(data);
}

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
#include "model/channel.h"

#include <algorithm>

namespace fairlead::server {

namespace {

// Without empty parts: a channel for the user "" would be for everybody who has no name.
std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = separator.empty() ? std::string_view::npos : text.find(separator);
    if (const auto part = text.substr(0, at); !part.empty()) parts.push_back(part);
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + separator.size());
  }
}

bool is_word(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

}  // namespace

std::optional<SlowPolicy> slow_policy_of(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(slow_policy_names, name);
  if (found == slow_policy_names.end()) return std::nullopt;
  return static_cast<SlowPolicy>(found - slow_policy_names.begin());
}

// An empty boundary in the settings switches its meaning off.
ChannelName parse_channel(std::string_view name, const ChannelSettings& settings) {
  ChannelName parsed;
  if (!settings.private_prefix.empty() && name.starts_with(settings.private_prefix)) {
    parsed.is_private = true;
    name.remove_prefix(settings.private_prefix.size());
  }
  parsed.rest = name;
  const auto& boundary = settings.namespace_boundary;
  if (const std::size_t at = name.find(boundary); !boundary.empty() && at != std::string_view::npos) {
    parsed.name_space = name.substr(0, at);
    parsed.rest = name.substr(at + boundary.size());
  }
  // The users stand behind the last boundary, so that the rest of a name may have it as well.
  const auto& users = settings.user_boundary;
  if (const std::size_t at = parsed.rest.rfind(users); !users.empty() && at != std::string_view::npos)
    parsed.users = split(parsed.rest.substr(at + users.size()), settings.user_separator);
  return parsed;
}

bool is_channel_name(std::string_view name, const ChannelSettings& settings) noexcept {
  const auto is_printable = [](char c) { return c >= ' ' && c <= '~'; };
  return !name.empty() && name.size() <= settings.max_length && std::ranges::all_of(name, is_printable);
}

bool is_namespace_name(std::string_view name) noexcept {
  return name.size() >= 2 && std::ranges::all_of(name, is_word);
}

const ChannelOptions* options_of(const ChannelName& name, const ChannelSettings& settings) {
  if (name.name_space.empty()) return &settings.without_namespace;
  const auto found = settings.namespaces.find(name.name_space);
  return found == settings.namespaces.end() ? nullptr : &found->second;
}

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
// Channel names and what a channel may do. A name "news:sports" belongs to the namespace "news", whose options apply;
// a name without ':' to `without_namespace`. "$secret" needs a token; "dialog#42,43" is for the users 42 and 43 alone.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::server {

using Milliseconds = std::chrono::milliseconds;

// What happens to a subscription whose client takes its messages too slowly.
enum class SlowPolicy : std::uint8_t {
  disconnect,   // 3008: it comes back and recovers (default)
  drop_oldest,  // the oldest waiting ones are dropped
  sample,       // at most `slow_sample_per_second`, always the newest
  conflate,     // the newest of each key
};
// By name, in this order; nothing for any other.
inline constexpr std::array<std::string_view, 4> slow_policy_names{"disconnect", "drop_oldest", "sample", "conflate"};
[[nodiscard]] std::optional<SlowPolicy> slow_policy_of(std::string_view name) noexcept;
// What may be chosen with it, for a channel and for one subscription.
inline constexpr std::size_t slow_queue_messages_most = 1'000'000;  // at least one
inline constexpr double slow_samples_least = 0.001, slow_samples_most = 10'000;

// Established names, established defaults; where nothing is said, off.
struct ChannelOptions {
  bool presence = false;
  bool join_leave = false;
  bool force_push_join_leave = false;

  std::size_t history_size = 0;  // publications kept; with history_ttl 0 there is no history
  Milliseconds history_ttl{0};
  Milliseconds history_meta_ttl{std::chrono::hours(720)};  // how long a position outlives the last publication
  bool force_positioning = false, allow_positioning = false;
  bool force_recovery = false, allow_recovery = false;
  std::string force_recovery_mode;  // "stream" (default) or "cache"
  bool auto_cache_recover = false;
  bool delta_publish = false;                    // every publication is published with its delta
  std::vector<std::string> allowed_delta_types;  // "fossil"
  bool allow_tags_filter = false;
  bool allow_channel_compaction = false;
  bool keep_latest_publication = false;  // a last-value cache: the newest one is kept also without a history

  bool allow_subscribe_for_client = false, allow_subscribe_for_anonymous = false;
  bool allow_publish_for_client = false, allow_publish_for_subscriber = false, allow_publish_for_anonymous = false;
  bool allow_history_for_client = false, allow_history_for_subscriber = false, allow_history_for_anonymous = false;
  bool allow_presence_for_client = false, allow_presence_for_subscriber = false, allow_presence_for_anonymous = false;
  bool allow_user_limited_channels = false;
  std::string channel_regex;            // of the part after "ns:"; for subscriptions of clients
  std::string publication_data_format;  // "", "json", "json_object", "binary"

  bool subscribe_proxy_enabled = false, publish_proxy_enabled = false, sub_refresh_proxy_enabled = false;
  std::string subscribe_proxy_name = "default", publish_proxy_name = "default", sub_refresh_proxy_name = "default";

  SlowPolicy slow_policy = SlowPolicy::disconnect;
  std::size_t slow_queue_messages = 128;  // waiting per subscription before the policy drops or conflates
  double slow_sample_per_second = 1;      // for `sample`
  std::string conflate_tag;               // for `conflate`: the tag that is the key; empty: the publication's own key
  bool state_events = true;               // occupied and vacated go into the event stream

  [[nodiscard]] bool has_history() const noexcept { return history_size > 0 && history_ttl.count() > 0; }
};

struct ChannelSettings {
  ChannelOptions without_namespace;
  std::map<std::string, ChannelOptions, std::less<>> namespaces;
  std::size_t max_length = 255;         // bytes of a name
  std::string publication_data_format;  // where a channel's own options say nothing
  std::string private_prefix = "$";
  std::string namespace_boundary = ":";
  std::string user_boundary = "#";
  std::string user_separator = ",";
};

// A name, taken apart. Views into the name.
struct ChannelName {
  bool is_private = false;
  std::string_view name_space;                         // empty: none
  std::string_view rest;                               // after the namespace
  std::optional<std::vector<std::string_view>> users;  // of a user-limited channel; may be nobody
};
[[nodiscard]] ChannelName parse_channel(std::string_view name, const ChannelSettings& settings);

// ASCII without control characters, not empty, not too long.
[[nodiscard]] bool is_channel_name(std::string_view name, const ChannelSettings& settings) noexcept;
// ^[-a-zA-Z0-9_]{2,}$
[[nodiscard]] bool is_namespace_name(std::string_view name) noexcept;

// The options that apply, or null when the namespace is unknown. Valid as long as `settings`.
[[nodiscard]] const ChannelOptions* options_of(const ChannelName& name, const ChannelSettings& settings);

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
// The one table of all keys: where each stands in a file, what it may be, what it means, which member of the settings
// it fills, whether a reload is enough. Reading, checking, printing, the manual page and the suggestions all come from
// it.
#pragma once

#include "config/settings.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fairlead::server::config {

// A member of the settings by its type.
using Slot = std::variant<bool*, std::string*, std::size_t*, unsigned*, std::int64_t*, double*,
                          std::chrono::milliseconds*, std::vector<std::string>*, std::map<std::string, std::string>*,
                          SlowPolicy*, std::vector<StatusTransform>*>;

struct Traits {
  bool secret = false;    // printed only when asked for, never in a complaint
  bool restart = false;   // a reload does not change it
  bool inverted = false;  // "enabled" in the file, `disabled` in the settings
  bool bytes = false;     // a size: "64KiB" is understood
  bool never = false;     // a duration that may be -1: it does not happen (milliseconds of -1 in the settings)
  std::vector<std::string_view> choices{};
  double minimum = 0, maximum = 0;  // of numbers and (in milliseconds) durations; maximum 0: none
};

template <class Owner>
struct Field {
  std::string_view name;
  std::function<Slot(Owner&)> slot;
  std::string_view doc;
  Traits traits;
};
struct Key {
  std::string path;
  std::function<Slot(Settings&)> slot;
  std::string_view doc;
  Traits traits;
};

// Keys with a fixed place, in the order of the manual.
[[nodiscard]] const std::vector<Key>& keys();
[[nodiscard]] const Key* find_key(std::string_view path);

// Keys of the elements of the lists `channel.namespaces[]`, `rpc.namespaces[]` and `proxies[]`; each has a `name`
// besides.
inline constexpr std::string_view namespaces_path = "channel.namespaces";
inline constexpr std::string_view proxies_path = "proxies";
inline constexpr std::string_view rpc_namespaces_path = "rpc.namespaces";
inline constexpr std::string_view meta_ttl_path = "channel.history_meta_ttl";
[[nodiscard]] const std::vector<Field<ChannelOptions>>& channel_fields();
[[nodiscard]] const std::vector<Field<ProxySettings>>& proxy_fields();
[[nodiscard]] const std::vector<Field<RpcOptions>>& rpc_fields();

// `BackendSettings::named` holds `proxies[]` by name, and under these names what `channel.proxy.*` and `rpc.proxy` say:
// that is what a namespace means by "default". No name of `proxies[]` can have a colon.
inline constexpr std::string_view default_subscribe_proxy = "default:subscribe";
inline constexpr std::string_view default_publish_proxy = "default:publish";
inline constexpr std::string_view default_sub_refresh_proxy = "default:sub_refresh";
inline constexpr std::string_view default_rpc_proxy = "default:rpc";

// "FAIRLEAD_CLIENT_TOKEN_HMAC_SECRET_KEY" of "client.token.hmac_secret_key".
[[nodiscard]] std::string environment_name(std::string_view path);
// "a duration", "a list of strings", …: for complaints and the manual.
[[nodiscard]] std::string type_text(const Slot& slot, const Traits& traits);

// The known path that is nearest to an unknown one, or nothing when none is near.
[[nodiscard]] std::string nearest(std::string_view path, std::span<const std::string> known);
[[nodiscard]] std::vector<std::string> known_paths();
// Whatever stands above a known path: "client", "client.token", …, each once.
[[nodiscard]] std::vector<std::string> sections_of(std::span<const std::string> known);

}  // namespace fairlead::server::config

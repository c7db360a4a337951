// SPDX-License-Identifier: Apache-2.0
// From a file, the environment and options to the settings; each of them goes before what stands left of it. What is
// wrong is said all at once, by the key's place and the rule, never with a value: it may be a secret.
#pragma once

#include "config/settings.h"
#include "model/done.h"

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::server::config {

enum class Format : std::uint8_t { toml, json };
struct File {
  std::string name;  // as it is shown in complaints
  std::string text;
  Format format = Format::toml;
};
// By the name's ending: ".json" is JSON, all else TOML.
[[nodiscard]] Format format_of(std::string_view file_name) noexcept;

struct ConfigSources {
  std::optional<File> file;
  // Variables by name. Only names of keys with FAIRLEAD_ before them matter: FAIRLEAD_CLIENT_TOKEN_HMAC_SECRET_KEY.
  // Lists are words with spaces or commas between them, or JSON; channel.namespaces and proxies are JSON.
  std::map<std::string, std::string> environment;
  // Key path and text, from the command line; as in the environment.
  std::vector<std::pair<std::string, std::string>> overrides;
};

struct Problem {
  std::string origin;  // the file's name, "environment", "option"
  std::string key;     // "channel.namespaces[2].history_ttl"; empty: the whole
  std::string rule;    // "must be a duration such as …"
  friend bool operator==(const Problem&, const Problem&) = default;
};
[[nodiscard]] std::string to_string(const Problem& problem);
[[nodiscard]] std::string to_string(const std::vector<Problem>& problems);  // a line for each

// No more of them are listed; the last one then says so.
inline constexpr std::size_t problems_limit = 50;

struct Loaded {
  Settings settings;
  std::vector<Problem> notes;  // keys that were accepted and have no effect
};
[[nodiscard]] std::expected<Loaded, std::vector<Problem>> read(const ConfigSources& sources);

// The same with all problems in one sentence, a line for each.
[[nodiscard]] Outcome<Settings> load(const ConfigSources& sources);

}  // namespace fairlead::server::config

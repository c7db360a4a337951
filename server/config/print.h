// SPDX-License-Identifier: Apache-2.0
// The settings as a file that reads back as the same settings, and the manual of all keys.
#pragma once

#include "config/load.h"

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::server::config {

struct PrintOptions {
  Format format = Format::toml;
  bool with_secrets = false;   // else "***"
  bool with_comments = false;  // TOML: what each key means
};
[[nodiscard]] std::string print(const Settings& settings, const PrintOptions& options = {});

// docs/configuration.md.
[[nodiscard]] std::string manual_markdown();

// What differs between two settings, by key: what a reload changes, and what only a restart does.
struct Difference {
  std::vector<std::string> reloadable;
  std::vector<std::string> needs_restart;
  [[nodiscard]] bool empty() const noexcept { return reloadable.empty() && needs_restart.empty(); }
};
[[nodiscard]] Difference diff(const Settings& before, const Settings& after);

// `running` with everything from `next` that a reload may change, and nothing else.
[[nodiscard]] Settings reloaded(const Settings& running, const Settings& next);

}  // namespace fairlead::server::config

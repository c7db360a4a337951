// SPDX-License-Identifier: Apache-2.0
// A configuration as the server would read it: a file and this process' environment.
#pragma once

#include <expected>
#include <map>
#include <optional>
#include <string>

#include "config/load.h"

namespace fairlead::cli {

// Files of this length are no configurations, keys or tokens.
inline constexpr std::size_t small_file_limit_bytes = std::size_t{4} * 1024 * 1024;

// The error is a sentence: "cannot read x.toml: it is a folder".
[[nodiscard]] std::expected<std::string, std::string> file_text(const std::string& path);
// Of this process.
[[nodiscard]] std::map<std::string, std::string> environment();

// Nothing when it cannot be read; that has been complained about then. "-" is standard input.
[[nodiscard]] std::optional<std::string> read_small_file(const std::string& path);

// `path` empty: no file. Nothing when the file cannot be read.
[[nodiscard]] std::optional<server::config::ConfigSources> configuration_sources(const std::string& path);

}  // namespace fairlead::cli

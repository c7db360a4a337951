// SPDX-License-Identifier: Apache-2.0
#include "configuration.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <iostream>

#include "terminal.h"

namespace fairlead::cli {
namespace {

std::optional<std::string> read_all(std::istream& stream) {
  std::string text(small_file_limit_bytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad() || stream.gcount() > static_cast<std::streamsize>(small_file_limit_bytes)) return std::nullopt;
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> variables;
  for (char** one = ::environ; one != nullptr && *one != nullptr; ++one) {
    const std::string_view text = *one;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

}  // namespace

std::optional<std::string> read_small_file(const std::string& path) {
  std::optional<std::string> text;
  if (path == "-") {
    text = read_all(std::cin);
  } else if (std::ifstream file(path, std::ios::binary); file) {
    text = read_all(file);
  }
  if (!text) complain(fmt::format("cannot read {}", path));
  return text;
}

std::optional<server::config::ConfigSources> configuration_sources(const std::string& path) {
  server::config::ConfigSources sources;
  sources.environment = environment();
  if (path.empty()) return sources;
  auto text = read_small_file(path);
  if (!text) return std::nullopt;
  sources.file = server::config::File{path, std::move(*text), server::config::format_of(path)};
  return sources;
}

}  // namespace fairlead::cli

// SPDX-License-Identifier: Apache-2.0
#include "configuration.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <system_error>

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

}  // namespace

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> variables;
  for (char** one = ::environ; one != nullptr && *one != nullptr; ++one) {
    const std::string_view text = *one;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

std::expected<std::string, std::string> file_text(const std::string& path) {
  const auto cannot = [&path](const std::string& why) {
    return std::unexpected(fmt::format("cannot read {}: {}", path, why));
  };
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return cannot("it is a folder");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return cannot(errno == 0 ? "it cannot be opened" : std::generic_category().message(errno));
  auto text = read_all(file);
  if (!text) return cannot(fmt::format("it is not to be read, or longer than {} bytes", small_file_limit_bytes));
  return std::move(*text);
}

std::optional<std::string> read_small_file(const std::string& path) {
  if (path == "-") {
    auto text = read_all(std::cin);
    if (!text) complain("cannot read standard input");
    return text;
  }
  auto text = file_text(path);
  if (text) return std::move(*text);
  complain(harmless(text.error()));
  return std::nullopt;
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

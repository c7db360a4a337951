// SPDX-License-Identifier: Apache-2.0
#include "program.h"

#include <fairlead/tls.h>
#include <fairlead/version.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <exception>
#include <limits>
#include <optional>

#include "manual.h"
#include "terminal.h"

namespace fairlead::cli {
namespace {

constexpr double longest_seconds = 86'400;

std::optional<std::size_t> parse_bytes(std::string_view text) {
  if (text == "unlimited") return std::numeric_limits<std::size_t>::max();
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  static constexpr std::array<std::string_view, 4> units{"", "K", "M", "G"};
  for (std::size_t power = 0; power < units.size(); ++power) {
    if (unit != units.at(power)) continue;
    const std::size_t factor = std::size_t{1} << (10 * power);
    if (number > std::numeric_limits<std::size_t>::max() / factor) return std::nullopt;
    return number * factor;
  }
  return std::nullopt;
}

std::string bytes_text(std::size_t bytes) {
  static constexpr std::array<std::string_view, 4> units{"", "K", "M", "G"};
  std::size_t power = 0;
  while (power + 1 < units.size() && bytes != 0 && bytes % 1024 == 0) {
    bytes /= 1024;
    ++power;
  }
  return bytes == std::numeric_limits<std::size_t>::max() ? "unlimited" : fmt::format("{}{}", bytes, units.at(power));
}

}  // namespace

Program::Program() : app_(std::make_unique<CLI::App>("Secure WebSocket server, client and tools", "fairlead")) {
  app_->set_help_flag("-h,--help", "Print this text");
  app_->set_version_flag("--version", fmt::format("fairlead {}", fairlead::version()), "Print the version");
  manuals_[app_.get()] = {
      .paragraphs =
          {"Fairlead speaks the WebSocket protocol (RFC 6455) over TLS, as a server and as a client. Each verb "
           "has a page of its own: `fairlead VERB --help`.",
           "Colour is used on terminals only, and never when NO_COLOR is set."},
      .examples = {{"fairlead echo", "a server that answers every message with itself, on wss://localhost:8443"},
                   {"fairlead connect wss://localhost:8443/ --ca dev", "talk to it, line by line"},
                   {"fairlead cert show wss://example.org", "look at a server's certificate"}},
      .exit_statuses = true};
}

Program::~Program() = default;

Verb Program::verb(const std::string& name, const std::string& summary, Manual manual, const Verb* parent) {
  CLI::App* verb = (parent != nullptr ? parent->app() : *app_).add_subcommand(name, summary);
  verb->set_help_flag("-h,--help", "Print this text");
  manuals_[verb] = std::move(manual);
  return Verb(*verb);
}

void Program::run(Verb verb, std::function<ExitStatus()> body) {
  verb.app().callback([this, body = std::move(body)] { body_ = body; });
}

const Manual& Program::manual(Verb verb) const {
  static const Manual none;
  const auto found = manuals_.find(&verb.app());
  return found == manuals_.end() ? none : found->second;
}

Verb Program::chosen() const {
  CLI::App* app = app_.get();
  while (!app->get_subcommands().empty()) app = app->get_subcommands().back();
  return Verb(*app);
}

int Program::complain(std::string_view what) {
  cli::complain(fmt::format("{}\n`{} --help` says more.", what, command_of(chosen())));
  return static_cast<int>(ExitStatus::usage);
}

// A word that is no verb, or none at all where one is needed.
int Program::complain_of_verb() {
  const std::vector<std::string> words = chosen().app().remaining(true);
  std::vector<std::string> names;
  for (const Verb verb : visible_verbs(chosen())) names.push_back(verb.app().get_name());
  const std::string what = words.empty() ? "a verb is missing" : fmt::format("there is no verb '{}'", words.front());
  return complain(fmt::format("{}; there are: {}", what, fmt::join(names, ", ")));
}

int Program::main(int argc, char** argv) {
  try {
    app_->parse(argc, argv);
    return body_ ? static_cast<int>(body_()) : complain_of_verb();
  } catch (const CLI::CallForHelp&) {
    return print_text(render_help(page_of(*this, chosen()), wants_colour(STDOUT_FILENO)))
               ? 0
               : static_cast<int>(ExitStatus::local_io);
  } catch (const CLI::CallForVersion& version) {
    return print_text(fmt::format("{}\n", version.what())) ? 0 : static_cast<int>(ExitStatus::local_io);
  } catch (const CLI::ExtrasError& error) {
    return visible_verbs(chosen()).empty() ? complain(error.what()) : complain_of_verb();
  } catch (const CLI::ParseError& error) {
    return complain(error.what());
  } catch (const std::exception& error) {
    cli::complain(error.what());
    return static_cast<int>(ExitStatus::failed);
  }
}

Option add_seconds(Verb verb, const std::string& names, double& value, const std::string& text) {
  return verb.option(names, value, text)
      .type_name("SECONDS")
      .range(0.0, longest_seconds)
      .default_str(fmt::format("{:g}", value));
}

Option add_bytes(Verb verb, const std::string& names, std::size_t& value, const std::string& text) {
  const auto read = [&value](const std::string& word) {
    const std::optional<std::size_t> bytes = parse_bytes(word);
    if (!bytes) return fmt::format("'{}' is no number such as 65536, 64K, 16M, 1G or unlimited", word);
    value = *bytes;
    return std::string();
  };
  return verb.option(names, read, text).type_name("BYTES").default_str(bytes_text(value));
}

Option add_record_layer(Verb verb, RecordLayer& layer) {
  return verb
      .choice("--record-layer", layer, {{"automatic", RecordLayer::automatic}, {"openssl", RecordLayer::openssl}},
              "Who seals records: Fairlead itself for TLS 1.3, or OpenSSL")
      .type_name("automatic|openssl")
      .default_str("automatic");
}

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(std::llround(seconds * 1000));
}

}  // namespace fairlead::cli

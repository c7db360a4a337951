// SPDX-License-Identifier: Apache-2.0
#include "program.h"

#include <fairlead/version.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

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

Program::Program() : app_("Secure WebSocket server, client and tools", "fairlead") {
  app_.set_help_flag("-h,--help", "Print this text");
  app_.set_version_flag("--version", fmt::format("fairlead {}", fairlead::version()), "Print the version");
  app_.formatter_fn([this](const CLI::App* app, const std::string&, CLI::AppFormatMode) {
    return render_help(page_of(*this, *app), wants_colour(STDOUT_FILENO));
  });
  manuals_[&app_] = {
      .paragraphs =
          {"Fairlead speaks the WebSocket protocol (RFC 6455) over TLS, as a server and as a client. Each verb "
           "has a page of its own: `fairlead VERB --help`.",
           "Colour is used on terminals only, and never when NO_COLOR is set."},
      .examples = {{"fairlead echo", "a server that answers every message with itself, on wss://localhost:8443"},
                   {"fairlead connect wss://localhost:8443/ --ca dev", "talk to it, line by line"},
                   {"fairlead cert show wss://example.org", "look at a server's certificate"}},
      .exit_statuses = true};
}

CLI::App& Program::verb(const std::string& name, const std::string& summary, Manual manual, CLI::App* parent) {
  CLI::App* verb = (parent != nullptr ? *parent : app_).add_subcommand(name, summary);
  verb->set_help_flag("-h,--help", "Print this text");
  manuals_[verb] = std::move(manual);
  return *verb;
}

void Program::run(CLI::App& verb, std::function<ExitStatus()> body) {
  verb.callback([this, body = std::move(body)] { body_ = body; });
}

const Manual& Program::manual(const CLI::App& app) const {
  static const Manual none;
  const auto found = manuals_.find(&app);
  return found == manuals_.end() ? none : found->second;
}

const CLI::App& Program::chosen() const {
  const CLI::App* app = &app_;
  while (!app->get_subcommands().empty()) app = app->get_subcommands().back();
  return *app;
}

int Program::complain(std::string_view what) {
  cli::complain(fmt::format("{}\n`{} --help` says more.", what, command_of(chosen())));
  return static_cast<int>(ExitStatus::usage);
}

// A word that is no verb, or none at all where one is needed.
int Program::complain_of_verb() {
  const std::vector<std::string> words = chosen().remaining(true);
  std::vector<std::string> names;
  for (const CLI::App* verb : visible_verbs(chosen())) names.push_back(verb->get_name());
  const std::string what = words.empty() ? "a verb is missing" : fmt::format("there is no verb '{}'", words.front());
  return complain(fmt::format("{}; there are: {}", what, fmt::join(names, ", ")));
}

int Program::main(int argc, char** argv) {
  try {
    app_.parse(argc, argv);
    return body_ ? static_cast<int>(body_()) : complain_of_verb();
  } catch (const CLI::CallForHelp&) {
    return print_text(chosen().help()) ? 0 : static_cast<int>(ExitStatus::local_io);
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

CLI::Option* add_seconds(CLI::App& verb, const std::string& names, double& value, const std::string& text) {
  return verb.add_option(names, value, text)
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, longest_seconds).description(""))
      ->default_str(fmt::format("{:g}", value));
}

CLI::Option* add_bytes(CLI::App& verb, const std::string& names, std::size_t& value, const std::string& text) {
  const auto read = [&value, names](const CLI::results_t& words) {
    const std::optional<std::size_t> bytes = parse_bytes(words.back());
    if (!bytes) {
      throw CLI::ValidationError(
          names, fmt::format("'{}' is no number such as 65536, 64K, 16M, 1G or unlimited", words.back()));
    }
    value = *bytes;
    return true;
  };
  return verb.add_option(names, read, text)->type_name("BYTES")->default_str(bytes_text(value));
}

CLI::Option* add_record_layer(CLI::App& verb, RecordLayer& layer) {
  const std::map<std::string, RecordLayer> names{{"automatic", RecordLayer::automatic},
                                                 {"openssl", RecordLayer::openssl}};
  auto* option = verb.add_option("--record-layer", layer, "Who seals records: Fairlead itself for TLS 1.3, or OpenSSL");
  option->transform(CLI::CheckedTransformer(names).description(""));
  return option->type_name("automatic|openssl")->default_str("automatic");
}

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(std::llround(seconds * 1000));
}

}  // namespace fairlead::cli

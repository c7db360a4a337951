// SPDX-License-Identifier: Apache-2.0
// `fairlead config`: what is wrong with a configuration, what the server makes of it, what it is without one.
#include <fmt/format.h>
#include <unistd.h>

#include <memory>

#include "auth/policy.h"
#include "config/check.h"
#include "config/print.h"
#include "configuration.h"
#include "program.h"
#include "terminal.h"

namespace fairlead::cli {
namespace {

namespace config = server::config;

struct Options {
  std::string file;
  bool json = false;
  bool secrets = false;
  bool markdown = false;
};

ExitStatus write(const std::string& text) { return print_text(text) ? ExitStatus::ok : ExitStatus::local_io; }

// Keys that cannot be read are found by reading them; nothing is fetched.
std::optional<std::string> fault_of_keys(const server::Settings& settings) {
  const server::FetchDocument nothing = [](const std::string&, const server::Done<std::string>&) {};
  const auto policy = server::make_policy(settings.auth, settings.channel, nothing);
  if (!policy) return policy.error().sentence;
  return server::fault_of_key_files(settings.auth);
}

// Nothing when something is wrong, which has been said then.
std::optional<config::Loaded> loaded(const std::string& file, ExitStatus& status) {
  const auto sources = configuration_sources(file);
  status = ExitStatus::local_io;
  if (!sources) return std::nullopt;
  status = ExitStatus::failed;
  auto result = config::read(*sources);
  if (result) return std::move(*result);
  for (const config::Problem& problem : result.error()) complain(harmless(config::to_string(problem)));
  return std::nullopt;
}

ExitStatus check(const Options& options) {
  ExitStatus status = ExitStatus::ok;
  const auto result = loaded(options.file, status);
  if (!result) return status;
  for (const config::Problem& note : result->notes) complain("note: " + harmless(config::to_string(note)));
  for (const config::Problem& hint : config::hints(result->settings)) complain("note: " + config::to_string(hint));
  if (const auto fault = fault_of_keys(result->settings)) {
    complain(harmless(*fault));
    return ExitStatus::failed;
  }
  return write(fmt::format("{}: nothing is wrong\n", options.file.empty() ? "the environment" : options.file));
}

ExitStatus print(const Options& options) {
  ExitStatus status = ExitStatus::ok;
  const auto result = loaded(options.file, status);
  if (!result) return status;
  const auto format = options.json ? config::Format::json : config::Format::toml;
  return write(config::print(result->settings, {format, options.secrets, false}));
}

ExitStatus print_default(const Options& options) {
  if (options.markdown) return write(config::manual_markdown());
  const auto format = options.json ? config::Format::json : config::Format::toml;
  return write(config::print(server::Settings{}, {format, true, true}));
}

void add_check(Program& program, Verb parent) {
  auto options = std::make_shared<Options>();
  const Verb verb = program.verb(
      "check", "Say everything that is wrong with a configuration",
      {.paragraphs = {"Reads the file and the FAIRLEAD_… variables of the environment as the server would, and names "
                      "each key that breaks a rule. The values of keys are never printed. Notes are about keys that "
                      "have no effect, and about what lets nobody in."},
       .examples = {{"fairlead config check fairlead.toml", "before the server is told to read it"}}},
      &parent);
  verb.option("file", options->file, "TOML, or JSON when its name ends in .json").type_name("FILE");
  program.run(verb, [options] { return check(*options); });
}

void add_print(Program& program, Verb parent) {
  auto options = std::make_shared<Options>();
  const Verb verb = program.verb(
      "print", "Print the configuration that a file and the environment make",
      {.paragraphs = {"Every key with its value. Secrets are printed as *** unless they are asked for."},
       .examples = {{"fairlead config print old.json > fairlead.toml --show-secrets", "from JSON to TOML"}}},
      &parent);
  verb.option("file", options->file, "TOML, or JSON when its name ends in .json").type_name("FILE");
  verb.flag("--json", options->json, "Print JSON");
  verb.flag("--show-secrets", options->secrets, "Print secrets as they are");
  program.run(verb, [options] { return print(*options); });
}

void add_default(Program& program, Verb parent) {
  auto options = std::make_shared<Options>();
  const Verb verb = program.verb("default", "Print the configuration that the server has without one",
                                 {.paragraphs = {"Every key with its default and what it means: a file to begin with."},
                                  .examples = {{"fairlead config default > fairlead.toml", "a file of one's own"}}},
                                 &parent);
  verb.flag("--json", options->json, "Print JSON");
  verb.flag("--markdown", options->markdown, "Print the page of the manual");
  program.run(verb, [options] { return print_default(*options); });
}

}  // namespace

void add_config(Program& program) {
  const Verb verb = program.verb("config", "Check and print configurations of the server", {});
  add_check(program, verb);
  add_print(program, verb);
  add_default(program, verb);
}

}  // namespace fairlead::cli

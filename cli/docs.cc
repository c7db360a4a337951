// SPDX-License-Identifier: Apache-2.0
// `fairlead man` and `fairlead completion`: the program's own documents, rendered from its options.
#include <fairlead/version.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

#include "manual.h"
#include "terminal.h"

namespace fairlead::cli {
namespace {

ExitStatus print(std::string_view text) { return print_text(text) ? ExitStatus::ok : ExitStatus::local_io; }

std::string page_name(Verb verb) {
  std::string name = command_of(verb);
  std::ranges::replace(name, ' ', '-');
  return name;
}

std::optional<Verb> find_page(Verb verb, std::string_view name) {
  if (page_name(verb) == name) return verb;
  for (const Verb inner : visible_verbs(verb)) {
    if (const std::optional<Verb> found = find_page(inner, name)) return found;
  }
  return std::nullopt;
}

// fairlead.1, fairlead-echo.1, …
bool write_pages(const Program& program, Verb verb, const std::filesystem::path& directory) {
  std::ofstream file(directory / (page_name(verb) + ".1"), std::ios::binary);
  file << render_man(page_of(program, verb), fairlead::version());
  if (!file.flush()) return false;
  return std::ranges::all_of(visible_verbs(verb), [&](Verb inner) { return write_pages(program, inner, directory); });
}

ExitStatus write_man(const Program& program, const std::string& name, const std::string& directory) {
  if (!directory.empty()) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (!error && write_pages(program, program.whole(), directory)) return ExitStatus::ok;
    complain(fmt::format("cannot write to {}", directory));
    return ExitStatus::local_io;
  }
  const std::optional<Verb> verb = find_page(program.whole(), name);
  if (!verb) {
    complain(fmt::format("there is no page '{}'", name));
    return ExitStatus::usage;
  }
  return print(render_man(page_of(program, *verb), fairlead::version()));
}

void add_man(Program& program) {
  struct Options {
    std::string page = "fairlead";
    std::string directory;
  };
  auto options = std::make_shared<Options>();
  const Verb verb =
      program.verb("man", "Write the man pages",
                   {.paragraphs = {"Prints one page, or writes all pages into a folder."},
                    .examples = {{"fairlead man fairlead-connect | man -l -", "read a page without installing it"}}});
  verb.hide();
  // Pages by their own names: the bare name of a verb would be taken for that verb.
  verb.option("page", options->page, "The page to print: fairlead, fairlead-echo, fairlead-cert-show")
      .type_name("PAGE");
  verb.option("--directory", options->directory, "Write every page into this folder").type_name("DIR");
  program.run(verb, [&program, options] { return write_man(program, options->page, options->directory); });
}

}  // namespace

void add_docs(Program& program) {
  add_man(program);
  auto shell = std::make_shared<std::string>("bash");
  const Verb verb = program.verb(
      "completion", "Print a completion script for the shell",
      {.paragraphs =
           {"The installed package puts the script where bash finds it; this is for a copy that was only built."},
       .examples = {{"source <(fairlead completion bash)", "complete verbs and options in this shell"}}});
  verb.option("shell", *shell, "The shell").type_name("bash").one_of({"bash"});
  program.run(verb, [&program, shell] { return print(render_bash_completion(program)); });
}

}  // namespace fairlead::cli

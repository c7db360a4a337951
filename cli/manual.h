// SPDX-License-Identifier: Apache-2.0
// What the program says about itself: one page for each verb, read from the options as they are, and rendered as help
// text for a terminal, as a man page, and as a completion script for bash.
#pragma once

#include <string>
#include <vector>

#include "program.h"

namespace fairlead::cli {

struct OptionText {
  std::vector<std::string> names;  // "-q", "--quiet"; the bare name of a positional
  std::string argument;            // "FILE", "modern|intermediate"; empty for a flag
  std::string initial;             // the default as text; empty: none worth saying
  std::string text;
  bool positional = false;
  bool repeatable = false;
  bool required = false;
};

struct OptionGroup {
  std::string title;
  std::vector<OptionText> options;
};

struct Page {
  std::string command;  // "fairlead cert show"
  std::string summary;
  std::vector<std::string> paragraphs;
  std::vector<OptionGroup> groups;  // positionals first
  struct Entry {
    std::string name;
    std::string summary;
  };
  std::vector<Entry> verbs;
  std::vector<Example> examples;
  bool exit_statuses = false;
};

// The page of one verb (or of the whole program).
[[nodiscard]] Page page_of(const Program& program, Verb verb);
// Verbs that a person may see, without those that only serve the build.
[[nodiscard]] std::vector<Verb> visible_verbs(Verb verb);
// "fairlead cert show" for the verb `show` of `cert`.
[[nodiscard]] std::string command_of(Verb verb);

[[nodiscard]] std::string render_help(const Page& page, bool colour);
[[nodiscard]] std::string render_man(const Page& page, std::string_view version);
[[nodiscard]] std::string render_bash_completion(const Program& program);

}  // namespace fairlead::cli

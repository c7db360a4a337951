// SPDX-License-Identifier: Apache-2.0
#include "manual.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <iterator>
#include <ranges>

#include "terminal.h"

namespace fairlead::cli {
namespace {

constexpr std::size_t text_width = 100;
constexpr std::size_t option_indent = 2;
constexpr std::size_t text_column = 34;

// ── Reading the options ─────────────────────────────────────────────────────────────────────────────────────────────

OptionText text_of(const CLI::Option& option) {
  OptionText text;
  text.positional = option.get_positional();
  if (text.positional) text.names.push_back(option.get_name(true));
  for (const std::string& name : option.get_snames()) text.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) text.names.push_back("--" + name);
  if (option.get_items_expected_max() > 0) text.argument = option.get_type_name();
  text.initial = option.get_default_str();
  text.text = option.get_description();
  text.repeatable = option.get_items_expected_max() > 1;
  text.required = option.get_required();
  return text;
}

// CLI11 calls the group of options that were given none "Options".
std::string title_of(const CLI::Option& option) { return option.get_positional() ? "Arguments" : option.get_group(); }

std::vector<OptionGroup> groups_of(Verb verb) {
  std::vector<OptionGroup> groups;
  for (const CLI::Option* option : verb.app().get_options()) {
    if (option->get_group().empty()) continue;  // hidden
    const std::string title = title_of(*option);
    auto found = std::ranges::find(groups, title, &OptionGroup::title);
    if (found == groups.end()) found = groups.insert(groups.end(), OptionGroup{title, {}});
    found->options.push_back(text_of(*option));
  }
  // Arguments first, what every command has last, the rest in between as it was declared.
  const auto rank = [](const OptionGroup& group) {
    return group.title == "Arguments" ? 0 : group.title == "Options" ? 2 : 1;
  };
  std::vector<OptionGroup> ordered;
  for (int wanted = 0; wanted <= 2; ++wanted) {
    std::ranges::copy_if(groups, std::back_inserter(ordered), [&](const auto& group) { return rank(group) == wanted; });
  }
  return ordered;
}

std::string usage_of(const Page& page) {
  std::string usage = page.command;
  bool flags = false;
  std::string positionals;
  for (const OptionGroup& group : page.groups) {
    for (const OptionText& option : group.options) {
      flags = flags || !option.positional;
      if (!option.positional) continue;
      const std::string name = option.names.front() + (option.repeatable ? "…" : "");
      positionals += option.required ? " " + name : " [" + name + "]";
    }
  }
  if (!page.verbs.empty()) usage += " VERB";
  usage += positionals;
  if (flags) usage += " [OPTION]…";
  return usage;
}

// "-q, --quiet", "--listen HOST:PORT".
std::string synopsis_of(const OptionText& option) {
  std::string line = fmt::format("{}", fmt::join(option.names, ", "));
  if (!option.positional && !option.argument.empty()) line += " " + option.argument;
  return line;
}

std::string explanation_of(const OptionText& option) {
  std::string text = option.text;
  if (option.repeatable && !option.positional) text += "; may be repeated";
  if (!option.initial.empty() && !option.argument.empty()) text += fmt::format(" (default: {})", option.initial);
  return text;
}

// ── Help ────────────────────────────────────────────────────────────────────────────────────────────────────────────

// Characters on a terminal, not bytes: continuation bytes of UTF-8 take no column.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// `text` broken at spaces, each line but the first indented.
std::string wrap(std::string_view text, std::size_t indent) {
  std::string out;
  std::size_t column = indent;
  for (const auto part : std::views::split(text, ' ')) {
    const std::string_view word(part.begin(), part.end());
    if (column > indent && column + 1 + columns(word) > text_width) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += columns(word);
  }
  return out;
}

std::string row(std::string_view left, std::string_view right, bool colour) {
  std::string line(option_indent, ' ');
  line += styled(left, Style::bold, colour);
  const std::size_t used = option_indent + columns(left);
  if (used + 2 > text_column) {
    line += "\n" + std::string(text_column, ' ');
  } else {
    line += std::string(text_column - used, ' ');
  }
  return line + wrap(right, text_column) + "\n";
}

std::string heading(std::string_view title, bool colour) {
  return "\n" + styled(fmt::format("{}:", title), Style::yellow, colour) + "\n";
}

std::string indented(std::string_view text, std::string_view indent) {
  std::string out;
  for (const auto line : std::views::split(text, '\n')) {
    out += fmt::format("{}{}\n", indent, std::string_view(line.begin(), line.end()));
  }
  return out;
}

std::string help_examples(const Page& page, bool colour) {
  if (page.examples.empty()) return {};
  std::string out = heading("Examples", colour);
  for (const Example& example : page.examples) {
    out += fmt::format("  {}\n", styled("# " + example.meaning, Style::dim, colour));
    out += indented(example.command, "  ");
  }
  return out;
}

std::string help_statuses(const Page& page, bool colour) {
  if (!page.exit_statuses) return {};
  std::string out = heading("Exit status", colour);
  for (const StatusMeaning& entry : exit_statuses()) {
    out += fmt::format("  {:>3}  {}\n", static_cast<int>(entry.status), entry.meaning);
  }
  return out;
}

// ── Man pages ───────────────────────────────────────────────────────────────────────────────────────────────────────

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// roff reads a backslash, and a dot or quote at the start of a line; a bare '-' may become a typographic hyphen, which
// cannot be copied into a shell. groff reads Latin-1: the few characters of ours beyond ASCII are spelt.
std::string roff(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
    line_start = c == '\n';
  }
  return replace_all(replace_all(out, "…", "..."), "–", "\\(en");
}

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

std::string man_name(std::string command) {
  std::ranges::replace(command, ' ', '-');
  return command;
}

std::string man_options(const Page& page) {
  std::string out;
  for (const OptionGroup& group : page.groups) {
    out += fmt::format(".SH \"{}\"\n", roff(upper(group.title)));
    for (const OptionText& option : group.options) {
      out += fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(synopsis_of(option)), roff(explanation_of(option)));
    }
  }
  return out;
}

std::string man_verbs(const Page& page) {
  if (page.verbs.empty()) return {};
  std::string out = ".SH VERBS\n";
  for (const Page::Entry& verb : page.verbs) {
    out += fmt::format(".TP\n\\fB{}\\fR(1)\n{}\n", roff(man_name(page.command + " " + verb.name)), roff(verb.summary));
  }
  return out;
}

std::string man_examples(const Page& page) {
  if (page.examples.empty()) return {};
  std::string out = ".SH EXAMPLES\n";
  for (const Example& example : page.examples) {
    out += fmt::format(".PP\n{}:\n.PP\n.nf\n.RS\n{}\n.RE\n.fi\n", roff(example.meaning), roff(example.command));
  }
  return out;
}

std::string man_statuses(const Page& page) {
  if (!page.exit_statuses) return {};
  std::string out = ".SH \"EXIT STATUS\"\n";
  for (const StatusMeaning& entry : exit_statuses()) {
    out += fmt::format(".TP\n\\fB{}\\fR\n{}\n", static_cast<int>(entry.status), roff(entry.meaning));
  }
  return out;
}

// ── Completion ──────────────────────────────────────────────────────────────────────────────────────────────────────

std::string function_of(std::string command) {
  std::ranges::replace(command, ' ', '_');
  std::ranges::replace(command, '-', '_');
  return "_" + command;
}

bool wants_file(const OptionText& option) {
  return option.argument.find("FILE") != std::string::npos || option.argument == "PATH";
}

// One case of the words that come after an option: files, folders, or one of several names.
std::string completion_case(const OptionText& option) {
  if (option.argument.empty() || option.positional) return {};
  std::string action = "COMPREPLY=()";
  if (option.argument == "DIR") {
    action = "mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")";
  } else if (wants_file(option)) {
    action = "mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")";
  } else if (option.argument.find('|') != std::string::npos) {
    std::string choices = option.argument;
    std::ranges::replace(choices, '|', ' ');
    action = fmt::format("mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$cur\")", choices);
  }
  return fmt::format("    {}) {}; return ;;\n", fmt::join(option.names, "|"), action);
}

std::string completion_function(const Program& program, Verb verb) {
  const Page page = page_of(program, verb);
  std::string words;
  std::string cases;
  bool files = false;
  for (const OptionGroup& group : page.groups) {
    for (const OptionText& option : group.options) {
      files = files || (option.positional && wants_file(option));
      if (!option.positional) words += fmt::format("{} ", fmt::join(option.names, " "));
      cases += completion_case(option);
    }
  }
  std::string verbs;
  for (const Page::Entry& entry : page.verbs) verbs += entry.name + " ";
  std::string out = function_of(page.command) + "() {\n";
  if (!cases.empty()) out += "  case $prev in\n" + cases + "  esac\n";
  out += fmt::format("  if [[ $cur == -* ]]; then mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$cur\"); return; fi\n",
                     words);
  out += fmt::format("  mapfile -t COMPREPLY < <(compgen {} -W '{}' -- \"$cur\")\n}}\n", files ? "-f" : "", verbs);
  return out;
}

void add_completion_functions(const Program& program, Verb verb, std::string& out) {
  out += completion_function(program, verb);
  for (const Verb inner : visible_verbs(verb)) add_completion_functions(program, inner, out);
}

}  // namespace

std::vector<Verb> visible_verbs(Verb verb) {
  std::vector<Verb> visible;
  for (CLI::App* inner : verb.app().get_subcommands([](CLI::App* app) { return !app->get_group().empty(); })) {
    visible.emplace_back(*inner);
  }
  return visible;
}

std::string command_of(Verb verb) {
  CLI::App* parent = verb.app().get_parent();
  const std::string name = verb.app().get_name();
  return parent == nullptr ? name : command_of(Verb(*parent)) + " " + name;
}

Page page_of(const Program& program, Verb verb) {
  const Manual& manual = program.manual(verb);
  Page page{.command = command_of(verb),
            .summary = verb.app().get_description(),
            .paragraphs = manual.paragraphs,
            .groups = groups_of(verb),
            .verbs = {},
            .examples = manual.examples,
            .exit_statuses = manual.exit_statuses};
  for (const Verb inner : visible_verbs(verb)) {
    page.verbs.push_back({inner.app().get_name(), inner.app().get_description()});
  }
  return page;
}

std::string render_help(const Page& page, bool colour) {
  std::string out = fmt::format("{} – {}\n", styled(page.command, Style::bold, colour), page.summary);
  out += heading("Usage", colour) + fmt::format("  {}\n", usage_of(page));
  for (const std::string& paragraph : page.paragraphs) out += "\n" + wrap(paragraph, 0) + "\n";
  if (!page.verbs.empty()) {
    out += heading("Verbs", colour);
    for (const Page::Entry& verb : page.verbs) out += row(verb.name, verb.summary, colour);
  }
  for (const OptionGroup& group : page.groups) {
    out += heading(group.title, colour);
    for (const OptionText& option : group.options) out += row(synopsis_of(option), explanation_of(option), colour);
  }
  return out + help_examples(page, colour) + help_statuses(page, colour);
}

std::string render_man(const Page& page, std::string_view version) {
  const std::string name = man_name(page.command);
  std::string out = ".\\\" Written by `fairlead man`; do not edit.\n";
  out += fmt::format(".TH \"{}\" 1 \"\" \"fairlead {}\" \"Fairlead\"\n.nh\n.ad l\n", roff(upper(name)), version);
  out += fmt::format(".SH NAME\n{} \\- {}\n", roff(name), roff(page.summary));
  out += fmt::format(".SH SYNOPSIS\n\\fB{}\\fR\n", roff(usage_of(page)));
  out += ".SH DESCRIPTION\n" + roff(page.summary) + ".\n";
  for (const std::string& paragraph : page.paragraphs) out += ".PP\n" + roff(paragraph) + "\n";
  out += man_verbs(page) + man_options(page) + man_examples(page) + man_statuses(page);
  if (page.command != "fairlead") out += ".SH \"SEE ALSO\"\n.BR fairlead (1)\n";
  return out;
}

std::string render_bash_completion(const Program& program) {
  std::string out =
      "# SPDX-License-Identifier: Apache-2.0\n# bash completion for fairlead, written by `fairlead completion`\n";
  add_completion_functions(program, program.whole(), out);
  // Walks down the verbs that stand before the cursor and asks the function of the last of them.
  out += R"(_fairlead_complete() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} at=_fairlead i
  for ((i = 1; i < COMP_CWORD; i++)); do
    local next=${at}_${COMP_WORDS[i]//-/_}
    if declare -F -- "$next" >/dev/null 2>&1 && [[ $next != _fairlead_complete ]]; then at=$next; fi
  done
  COMPREPLY=()
  "$at"
}
complete -o filenames -F _fairlead_complete fairlead
)";
  return out;
}

}  // namespace fairlead::cli

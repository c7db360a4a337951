// SPDX-License-Identifier: Apache-2.0
// Every verb and option is documented, in help, man page and completion alike.
#include "manual.h"

#include <gtest/gtest.h>

#include <functional>

namespace fairlead::cli {
namespace {

struct Complete {
  Program program;
  Complete() {
    add_echo(program);
    add_connect(program);
    add_bench(program);
    add_cert(program);
    add_demo(program);
    add_version(program);
    add_docs(program);
  }
  void for_each_page(const std::function<void(const Page&)>& visit) const { visit_all(program.whole(), visit); }

 private:
  void visit_all(Verb verb, const std::function<void(const Page&)>& visit) const {
    visit(page_of(program, verb));
    for (const Verb inner : visible_verbs(verb)) visit_all(inner, visit);
  }
};

TEST(Manual, EveryOptionIsExplained) {
  Complete{}.for_each_page([](const Page& page) {
    EXPECT_FALSE(page.summary.empty()) << page.command;
    for (const OptionGroup& group : page.groups) {
      for (const OptionText& option : group.options) {
        EXPECT_FALSE(option.text.empty()) << page.command << " " << option.names.front();
        EXPECT_EQ(option.argument.find(':') == 0, false);
      }
    }
  });
}

TEST(Manual, EveryVerbThatDoesSomethingHasAnExample) {
  Complete{}.for_each_page(
      [](const Page& page) { EXPECT_TRUE(!page.verbs.empty() || !page.examples.empty()) << page.command; });
}

TEST(Manual, HelpFitsATerminal) {
  Complete{}.for_each_page([](const Page& page) {
    const std::string help = render_help(page, false);
    std::size_t begin = 0;
    for (std::size_t end = help.find('\n'); end != std::string::npos; end = help.find('\n', begin)) {
      EXPECT_LE(end - begin, 130U) << help.substr(begin, end - begin);
      begin = end + 1;
    }
  });
}

TEST(Manual, ColourIsLeftOutWhenNotWanted) {
  Complete{}.for_each_page([](const Page& page) {
    EXPECT_EQ(render_help(page, false).find('\x1b'), std::string::npos);
    EXPECT_NE(render_help(page, true).find('\x1b'), std::string::npos);
  });
}

TEST(Manual, ManPagesArePlainAscii) {
  Complete{}.for_each_page([](const Page& page) {
    for (const char c : render_man(page, "1.2.3")) {
      EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << page.command << ": byte " << static_cast<int>(c);
    }
  });
}

TEST(Manual, ManPagesEscapeWhatRoffReads) {
  const Page page{.command = "fairlead x",
                  .summary = "a-b",
                  .paragraphs = {".begins with a dot", "back\\slash"},
                  .groups = {},
                  .verbs = {},
                  .examples = {},
                  .exit_statuses = false};
  const std::string man = render_man(page, "1");
  EXPECT_NE(man.find("\n\\&.begins"), std::string::npos);
  EXPECT_NE(man.find("back\\eslash"), std::string::npos);
  EXPECT_NE(man.find("a\\-b"), std::string::npos);
}

TEST(Manual, CompletionKnowsEveryVerbAndOption) {
  const Complete complete;
  const std::string script = render_bash_completion(complete.program);
  complete.for_each_page([&](const Page& page) {
    for (const OptionGroup& group : page.groups) {
      for (const OptionText& option : group.options) {
        const bool found = script.find(option.names.back()) != std::string::npos;
        EXPECT_TRUE(option.positional || found) << option.names.back();
      }
    }
  });
}

}  // namespace
}  // namespace fairlead::cli

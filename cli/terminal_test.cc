// SPDX-License-Identifier: Apache-2.0
// A peer's text must not reach the terminal as commands; log lines have one form.
#include "terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <thread>

#include "log.h"
#include "output.h"

namespace fairlead::cli {
namespace {

TEST(Terminal, ControlCharactersAreShownNotObeyed) {
  EXPECT_EQ(harmless("\x1b[2Jgone"), "\\x1b[2Jgone");
  EXPECT_EQ(harmless("\a\b\r\x7f"), "\\x07\\x08\\x0d\\x7f");
  EXPECT_EQ(harmless("\xc2\x9b"
                     "31m"),
            "\\x9b31m");
  EXPECT_EQ(harmless("tab\tand\nline é 🚢"), "tab\tand\nline é 🚢");
}

TEST(Terminal, StyleIsLeftOutWithoutColour) {
  EXPECT_EQ(styled("x", Style::red, false), "x");
  EXPECT_EQ(styled("x", Style::red, true), "\x1b[31mx\x1b[0m");
}

TEST(Terminal, AFileIsNotColoured) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  EXPECT_FALSE(wants_colour(pipe[1]));
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST(Log, ALineHasTimeLevelAndText) {
  const std::chrono::system_clock::time_point when{std::chrono::milliseconds{1'700'000'000'042}};
  EXPECT_EQ(log_line(when, LogLevel::warning, "late\x1b[0m"), "2023-11-14T22:13:20.042Z warning late\\x1b[0m\n");
  EXPECT_EQ(log_line(when, LogLevel::info, "a\nb"), "2023-11-14T22:13:20.042Z info a\\x0ab\n");
}

// What `output` writes for these chunks.
std::string written(bool raw, bool terminal, const std::vector<Chunk>& chunks) {
  std::array<int, 2> pipe{};
  EXPECT_EQ(::pipe(pipe.data()), 0);
  Output output(pipe[1], raw, terminal, false);
  for (const Chunk& chunk : chunks) EXPECT_TRUE(output.write(chunk));
  ::close(pipe[1]);
  std::string text(4096, '\0');
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(pipe[0], text.data(), text.size()))));
  ::close(pipe[0]);
  return text;
}

Chunk text(std::string payload, bool last = true) { return {MessageKind::text, std::move(payload), true, last}; }
Chunk binary(std::string payload) { return {MessageKind::binary, std::move(payload), true, true}; }

TEST(Output, TextIsALineAndBinaryIsHexadecimal) {
  EXPECT_EQ(written(false, false, {text("one"), text(""), binary(std::string("\x00\xff", 2))}), "one\n\n00ff\n");
}

TEST(Output, RawHasNothingBetween) { EXPECT_EQ(written(true, false, {binary("\x01"), text("two")}), "\x01two"); }

TEST(Output, AControlCharacterDividedBetweenChunksIsShownToo) {
  EXPECT_EQ(written(false, true,
                    {text("a\xc2", false), text("\x9b"
                                                "b")}),
            "a\\x9bb\n");
}

TEST(Output, WaitsForAReaderAlsoWhereSomebodyMadeThePipeNonBlocking) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  ASSERT_EQ(::fcntl(pipe[1], F_SETFL, O_NONBLOCK), 0);
  const std::string large(1'000'000, 'x');  // a pipe holds 64 KiB
  std::size_t got = 0;
  std::thread reader([&] {
    std::array<char, 4'096> piece{};
    while (true) {
      const ssize_t step = ::read(pipe[0], piece.data(), piece.size());
      if (step <= 0) break;
      got += static_cast<std::size_t>(step);
    }
  });
  EXPECT_TRUE(write_all(pipe[1], large));
  ::close(pipe[1]);
  reader.join();
  ::close(pipe[0]);
  EXPECT_EQ(got, large.size());
}

TEST(Output, SaysWhenNobodyReads) {
  ::signal(SIGPIPE, SIG_IGN);
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  ::close(pipe[0]);
  Output output(pipe[1], false, false, false);
  EXPECT_FALSE(output.write(text("x")));
  ::close(pipe[1]);
}

}  // namespace
}  // namespace fairlead::cli

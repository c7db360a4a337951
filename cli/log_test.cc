// SPDX-License-Identifier: Apache-2.0
// Log lines: what they look like, and that a reader who takes none holds up nobody.
#include "log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <thread>

namespace fairlead::cli {
namespace {

constexpr std::chrono::system_clock::time_point noon{std::chrono::hours(12)};

struct Pipe {
  Pipe() { EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    ::close(ends[0]);
    close_writing();
  }
  void close_writing() {
    if (ends[1] >= 0) ::close(ends[1]);
    ends[1] = -1;
  }
  // Everything until the writing end is closed.
  std::string read_all() {
    std::string all;
    std::array<char, 65536> piece{};
    for (ssize_t got = 0; (got = ::read(ends[0], piece.data(), piece.size())) > 0;) {
      all.append(piece.data(), static_cast<std::size_t>(got));
    }
    return all;
  }
  std::array<int, 2> ends{-1, -1};
};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

TEST(LogLine, HasTimeLevelAndNoControlCharacters) {
  EXPECT_EQ(log_line(noon, LogLevel::info, "peer=1.2.3.4\x1b[2J"),
            "1970-01-01T12:00:00.000Z info peer=1.2.3.4\\x1b[2J\n");
}

TEST(LogWriter, WritesEveryLineInOrderBeforeItGoes) {
  Pipe pipe;
  std::string all;
  std::thread reader([&] { all = pipe.read_all(); });
  {
    LogWriter writer(pipe.ends[1]);
    for (int i = 0; i < 1000; ++i) writer.add(LogLevel::info, "line " + std::to_string(i), noon);
  }
  pipe.close_writing();
  reader.join();
  EXPECT_EQ(count(all, "\n"), 1000U);
  EXPECT_LT(all.find("line 7\n"), all.find("line 8\n"));
  EXPECT_EQ(count(all, "dropped"), 0U);
}

TEST(LogWriter, NeverWaitsForItsReaderAndSaysHowManyLinesWereDropped) {
  Pipe pipe;
  constexpr int lines = 50'000;
  constexpr std::size_t queue_bytes = std::size_t{64} * 1024;
  const std::string text(100, 'x');
  std::string all;
  std::thread reader;
  {
    LogWriter writer(pipe.ends[1], queue_bytes);
    for (int i = 0; i < lines; ++i) writer.add(LogLevel::info, text, noon);  // nobody reads: this returns anyway
    reader = std::thread([&] { all = pipe.read_all(); });
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    writer.add(LogLevel::info, "after", noon);
  }
  pipe.close_writing();
  reader.join();
  std::size_t dropped = 0;
  for (std::size_t at = 0; (at = all.find(" log lines dropped", at)) != std::string::npos; ++at) {
    dropped += std::stoul(all.substr(all.rfind(' ', at - 1) + 1));
  }
  EXPECT_GT(dropped, 0U);
  EXPECT_EQ(count(all, text) + dropped, static_cast<std::size_t>(lines)) << "none is lost without a word";
  EXPECT_EQ(count(all, " after\n"), 1U);
}

TEST(LogWriter, AStuckReaderDoesNotHoldUpTheEnd) {
  Pipe pipe;
  const auto began = std::chrono::steady_clock::now();
  {
    LogWriter writer(pipe.ends[1]);
    for (int i = 0; i < 10'000; ++i) writer.add(LogLevel::info, std::string(100, 'x'), noon);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, LogWriter::farewell + std::chrono::seconds(5));
  std::thread reader([&] { (void)pipe.read_all(); });  // lets the writer's thread end
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  pipe.close_writing();
  reader.join();
}

}  // namespace
}  // namespace fairlead::cli

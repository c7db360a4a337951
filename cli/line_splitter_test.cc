// SPDX-License-Identifier: Apache-2.0
// Lines and chunks: the same messages for any split of the input, no character divided, nothing held that is long.
#include "line_splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace fairlead::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Pieces of one message follow each other until `last`.
std::vector<std::string> messages_of(LineSplitter splitter, const std::vector<std::string>& reads,
                                     std::optional<Error>* error = nullptr) {
  std::vector<std::string> messages;
  bool open = false;
  const auto drain = [&] {
    while (auto piece = splitter.next()) {
      if (!*piece) {
        if (error != nullptr) *error = piece->error();
        return;
      }
      EXPECT_EQ((*piece)->first, !open);
      EXPECT_LE((*piece)->bytes.size(), piece_bytes);
      if (!open) messages.emplace_back();
      messages.back() += (*piece)->bytes;
      open = !(*piece)->last;
    }
  };
  for (const std::string& read : reads) {
    splitter.feed(read);
    drain();
  }
  splitter.finish();
  drain();
  EXPECT_FALSE(open && error == nullptr);
  return messages;
}

std::vector<std::string> split_at_random(const std::string& text, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::string> reads;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = 1 + random() % std::min<std::size_t>(text.size() - at, 100'000);
    reads.push_back(text.substr(at, length));
    at += length;
  }
  return reads;
}

TEST(Lines, EachLineIsAMessage) {
  EXPECT_THAT(messages_of(LineSplitter(Splitting::lines), {"one\ntwo\n"}), ElementsAre("one", "two"));
}

TEST(Lines, TheLastMayLackItsNewline) {
  EXPECT_THAT(messages_of(LineSplitter(Splitting::lines), {"one\ntwo"}), ElementsAre("one", "two"));
}

TEST(Lines, AnEmptyLineIsAnEmptyMessage) {
  EXPECT_THAT(messages_of(LineSplitter(Splitting::lines), {"\n\nx\n"}), ElementsAre("", "", "x"));
}

TEST(Lines, NoInputIsNoMessage) {
  EXPECT_THAT(messages_of(LineSplitter(Splitting::lines), {}), IsEmpty());
  EXPECT_THAT(messages_of(LineSplitter(Splitting::lines), {""}), IsEmpty());
}

TEST(Lines, AnySplitGivesTheSameMessages) {
  std::string text = "short\n";
  for (int i = 0; i < 300'000; ++i) text += "é漢🚢";
  text += "\nend 🚢\n\n";
  const std::vector<std::string> whole = messages_of(LineSplitter(Splitting::lines), {text});
  ASSERT_EQ(whole.size(), 4U);
  for (unsigned seed = 0; seed < 20; ++seed) {
    EXPECT_EQ(messages_of(LineSplitter(Splitting::lines), split_at_random(text, seed)), whole) << "seed " << seed;
  }
}

TEST(Lines, AtBelowAndAboveTheLengthOfAPiece) {
  for (const std::size_t length : {piece_bytes - 1, piece_bytes, piece_bytes + 1, 3 * piece_bytes}) {
    const std::string line(length, 'x');
    EXPECT_THAT(messages_of(LineSplitter(Splitting::lines), {line + "\ny\n"}), ElementsAre(line, "y"));
  }
}

TEST(Lines, WhatIsNotTextIsNamedByItsLine) {
  for (const char* bad : {"\xff", "\xc3", "\xed\xa0\x80", "\xf5\x80\x80\x80"}) {
    std::optional<Error> error;
    const auto messages =
        messages_of(LineSplitter(Splitting::lines), {"fine\n", std::string(bad) + "\n", "later\n"}, &error);
    EXPECT_THAT(messages, ElementsAre("fine"));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, Errc::invalid_utf8);
    EXPECT_NE(error->detail.find("line 2"), std::string::npos);
  }
}

TEST(Lines, ALongLineThatIsNotTextEndsToo) {
  std::optional<Error> error;
  messages_of(LineSplitter(Splitting::lines), {std::string(3 * piece_bytes, '\x80')}, &error);
  EXPECT_TRUE(error);
}

TEST(Chunks, EachReadIsAMessage) {
  EXPECT_THAT(messages_of(LineSplitter(Splitting::reads), {"a\nb", "\xff"}), ElementsAre("a\nb", "\xff"));
}

TEST(Chunks, ExactChunksDoNotDependOnReads) {
  const std::string text(1'000'001, 'z');
  for (const std::size_t chunk :
       {std::size_t{1} << 16, piece_bytes, std::size_t{300'000}, text.size(), 2 * text.size()}) {
    const auto whole = messages_of(LineSplitter(Splitting::exact_chunks, chunk), {text});
    EXPECT_EQ(whole.size(), (text.size() + chunk - 1) / chunk);
    EXPECT_EQ(whole.front().size(), std::min(chunk, text.size()));
    EXPECT_EQ(messages_of(LineSplitter(Splitting::exact_chunks, chunk), split_at_random(text, 7)), whole);
  }
}

TEST(Chunks, EverythingCanBeOneMessage) {
  for (const std::size_t size : {std::size_t{1}, piece_bytes, piece_bytes + 1, 4 * piece_bytes}) {
    const std::string text(size, 'q');
    EXPECT_THAT(messages_of(LineSplitter(Splitting::one_message), split_at_random(text, 1)), ElementsAre(text));
  }
  EXPECT_THAT(messages_of(LineSplitter(Splitting::one_message), {}), IsEmpty());
}

}  // namespace
}  // namespace fairlead::cli

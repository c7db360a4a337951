// SPDX-License-Identifier: Apache-2.0
// Damages the files of a database in many ways. It must be whole again, or be refused in one sentence, or answer for
// what is damaged with `corrupt`: never with wrong data, and never with less under an epoch that clients know.
#include "broker/conformance.h"
#include "broker/sqlite/sqlite_engine.h"
#include "broker/sqlite/temporary_folder_testing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

namespace fairlead::server {

using namespace std::chrono_literals;

class TornFileTest : public testing::Test {
 protected:
  static constexpr int channels = 4;
  static constexpr int publications = 30;
  using Files = std::map<std::string, std::string>;  // suffix to contents

  struct Expected {
    StreamPosition top;
    std::vector<std::string> texts;
  };

  // Writes, and takes the files as a crash in that moment would have left them.
  void SetUp() override {
    SqliteEngine engine({.path = path_});
    ASSERT_TRUE(engine.broker().start(events_));
    write(engine, 0);
    engine.broker().stop();  // so that there are pages in the database itself too
    SqliteEngine second({.path = path_});
    ASSERT_TRUE(second.broker().start(events_));
    write(second, publications);
    for (const char* suffix : {"", "-wal", "-guard"}) {
      std::ifstream file(path_ + suffix, std::ios::binary);
      files_[suffix] = std::string(std::istreambuf_iterator<char>(file), {});
      ASSERT_FALSE(files_[suffix].empty()) << suffix;
    }
  }
  void write(Engine& engine, int from) {
    for (int i = from; i < from + publications; ++i) {
      const std::string channel = std::to_string(i % channels);
      Publication publication;
      publication.data = "publication " + std::to_string(i) + std::string(static_cast<std::size_t>(i) * 10, 'x');
      const PublishOptions options{.history_size = 1000, .history_ttl = 1h};
      const auto outcome = answer_to<PublishOutcome>(
          [&](auto done) { engine.broker().publish(channel, publication, options, std::move(done)); });
      ASSERT_TRUE(outcome);
      expected_[channel].top = outcome->position;
      expected_[channel].texts.push_back(publication.data);
    }
  }

  enum class Result { whole, renewed, refused, answered_corrupt };
  Result open(const Files& files, std::uint64_t always_checked_bytes) {
    const TemporaryFolder folder;
    for (const auto& [suffix, contents] : files) {
      std::ofstream(folder.file("db" + suffix), std::ios::binary) << contents;
    }
    SqliteEngine engine({.path = folder.file("db"), .always_checked_bytes = always_checked_bytes});
    if (const auto started = engine.broker().start(events_); !started) {
      EXPECT_TRUE(started.error().kind == FaultKind::corrupt || started.error().kind == FaultKind::unsupported)
          << started.error().sentence;
      EXPECT_FALSE(started.error().sentence.empty());
      return Result::refused;
    }
    Result result = Result::whole;
    for (const auto& [channel, expected] : expected_) result = std::max(result, compare(engine, channel, expected));
    return result;
  }
  static Result compare(Engine& engine, const std::string& channel, const Expected& expected) {
    const auto found =
        answer_to<History>([&](auto done) { engine.broker().history(channel, {.limit = 100'000}, std::move(done)); });
    if (!found) {
      EXPECT_EQ(found.error().kind, FaultKind::corrupt) << found.error().sentence;
      return Result::answered_corrupt;
    }
    if (found->top.epoch != expected.top.epoch) {
      EXPECT_TRUE(found->publications.empty());
      return Result::renewed;
    }
    std::vector<std::string> texts;
    for (const PublicationPtr& publication : found->publications) texts.push_back(publication->data);
    EXPECT_EQ(found->top, expected.top);
    EXPECT_EQ(texts, expected.texts);
    return Result::whole;
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.file("db");
  RecordedEvents events_;
  Files files_;
  std::map<std::string, Expected> expected_;
  static constexpr std::uint64_t always = std::uint64_t{1} << 30;
};

TEST_F(TornFileTest, AnUncleanEndIsMadeWhole) { EXPECT_EQ(open(files_, always), Result::whole); }

TEST_F(TornFileTest, ALogThatLostItsEndIsRefused) {
  for (const std::size_t part : {0u, 1u, 2u, 3u}) {
    Files files = files_;
    files["-wal"].resize(files["-wal"].size() * part / 4);
    EXPECT_EQ(open(files, always), Result::refused) << part;
  }
}

TEST_F(TornFileTest, ATruncatedDatabaseIsRefused) {
  for (const std::size_t bytes : {1u, 15u, 100u, 4096u, 5000u, 16384u}) {
    Files files = files_;
    files[""].resize(std::min<std::size_t>(bytes, files[""].size() - 1));
    files["-wal"].clear();
    EXPECT_EQ(open(files, always), Result::refused) << bytes;
  }
}

TEST_F(TornFileTest, ADamagedGuardMeansNewEpochs) {
  Files files = files_;
  files["-guard"][9] ^= 1;
  EXPECT_EQ(open(files, always), Result::renewed);
  files.erase("-guard");
  EXPECT_EQ(open(files, always), Result::renewed);
}

TEST_F(TornFileTest, FlippedBitsAreNeverServed) {
  std::mt19937 random(7);
  int noticed = 0;
  for (int i = 0; i < 120; ++i) {
    SCOPED_TRACE(i);
    Files files = files_;
    std::string& file = files[i % 2 == 0 ? "" : "-wal"];
    const auto at = std::uniform_int_distribution<std::size_t>(0, file.size() - 1)(random);
    const std::size_t count = std::min<std::size_t>(i % 3 == 0 ? 1 : i % 3 == 1 ? 64 : 4096, file.size() - at);
    for (std::size_t n = 0; n < count; ++n) {
      file[at + n] = static_cast<char>(file[at + n] ^ (count == 1 ? 1 << (i % 8) : 0x5a));
    }
    noticed += open(files, i % 5 == 0 ? 0 : always) != Result::whole;
  }
  EXPECT_GT(noticed, 40);  // the others hit free space, or pages of which the log has newer ones
}

// Every place of every row, in a file that is too big to be checked at the start: reading finds it.
TEST_F(TornFileTest, AFlippedPayloadIsFoundWhenItIsRead) {
  const std::string text = expected_["2"].texts[3];
  Files files = files_;
  bool found = false;
  for (auto& [suffix, contents] : files) {
    for (auto at = contents.find(text); at != std::string::npos; at = contents.find(text, at + 1)) {
      if (suffix.empty()) contents[at + 5] ^= 4, found = true;
    }
  }
  ASSERT_TRUE(found);
  EXPECT_NE(open(files, 0), Result::renewed);
}

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
// What only the durable engine promises: that all survives, who may open the file, and what happens on a full disk.
#include "broker/sqlite/sqlite_engine.h"

#include "broker/conformance.h"
#include "broker/sqlite/temporary_folder_testing.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <vector>

namespace fairlead::server {

using namespace std::chrono_literals;

class SqliteEngineTest : public testing::Test {
 protected:
  Outcome<void> start(SqliteEngineSettings settings = {}) {
    engine_.reset();
    settings.path = path_;
    engine_ = std::make_unique<SqliteEngine>(std::move(settings), [this] { return now_; });
    return engine_->broker().start(events_);
  }
  Outcome<PublishOutcome> publish(const std::string& channel, const std::string& data, const PublishOptions& options) {
    Publication publication;
    publication.data = data;
    return answer_to<PublishOutcome>(
        [&](auto done) { engine_->broker().publish(channel, publication, options, std::move(done)); });
  }
  Outcome<History> history(const std::string& channel) {
    return answer_to<History>(
        [&](auto done) { engine_->broker().history(channel, {.limit = 1'000'000}, std::move(done)); });
  }
  void sql(const std::string& path, const std::string& statements) {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(handle, statements.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(handle);
    sqlite3_close(handle);
  }
  FaultKind refused() {
    const auto started = start();
    EXPECT_FALSE(started.has_value());
    return started ? FaultKind::internal : started.error().kind;
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.file("db");
  WallTime now_{std::chrono::hours(24 * 365 * 50)};
  RecordedEvents events_;
  std::unique_ptr<SqliteEngine> engine_;
  PublishOptions kept_{.history_size = 100'000, .history_ttl = 1h, .history_meta_ttl = 24h};
};

TEST_F(SqliteEngineTest, EverythingSurvivesARestart) {
  ASSERT_TRUE(start());
  PublishOptions options = kept_;
  options.keep_latest = true;
  options.version = 7;
  options.version_epoch = "v";
  options.idempotency_key = "k";
  Publication publication;
  publication.data = std::string("\0\xff", 2);
  publication.json = false;
  publication.tags = {{"a", "b"}};
  publication.key = "key";
  publication.info = std::make_shared<const ClientInfo>(ClientInfo{"u", "c", "x", "y"});
  const auto first = answer_to<PublishOutcome>(
      [&](auto done) { engine_->broker().publish("news", publication, options, std::move(done)); });
  ASSERT_TRUE(first);
  const ClientInfo member{"u", "c", "", "chan"};
  for (const auto ttl : {std::chrono::milliseconds(60s), std::chrono::milliseconds(5s)}) {
    ClientInfo one = member;
    if (ttl == 5s) one.client = "gone";
    EXPECT_TRUE(answer_to<void>([&](auto done) { engine_->broker().add_presence("news", one, ttl, std::move(done)); }));
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(answer_to<std::uint64_t>([&](auto done) { engine_->events().append({.kind = "x"}, std::move(done)); }));
  }
  EXPECT_TRUE(answer_to<void>([&](auto done) { engine_->events().acknowledge(2, std::move(done)); }));
  EXPECT_TRUE(answer_to<void>([&](auto done) { engine_->store().put("t", "k", "v", now_ + 1min, std::move(done)); }));

  now_ += 10s;
  ASSERT_TRUE(start());
  const auto found = history("news");
  ASSERT_TRUE(found && found->publications.size() == 1);
  EXPECT_EQ(found->top, first->position);
  const Publication& stored = *found->publications[0];
  EXPECT_EQ(stored.data, publication.data);
  EXPECT_FALSE(stored.json);
  EXPECT_EQ(stored.tags, publication.tags);
  EXPECT_EQ(stored.key, "key");
  EXPECT_EQ(stored.version, 7u);
  EXPECT_EQ(stored.time_ms, unix_ms(now_ - 10s));
  ASSERT_NE(stored.info, nullptr);
  EXPECT_EQ(*stored.info, *publication.info);
  const auto again = publish("news", "x", options);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->repeated);
  options.idempotency_key.clear();
  EXPECT_TRUE(publish("news", "x", options)->stale);
  const auto latest = answer_to<PublicationPtr>([&](auto done) { engine_->broker().latest("news", std::move(done)); });
  ASSERT_TRUE(latest && *latest);
  EXPECT_EQ((*latest)->data, publication.data);
  const auto members = answer_to<Presence>([&](auto done) { engine_->broker().presence("news", std::move(done)); });
  EXPECT_EQ(members.value_or(Presence{}), (Presence{{"c", member}}));
  const auto log = answer_to<LifecycleEvents>([&](auto done) { engine_->events().read(0, 10, std::move(done)); });
  ASSERT_TRUE(log && log->events.size() == 1);
  EXPECT_EQ(log->events[0].sequence, 3u);
  EXPECT_EQ(log->acknowledged, 2u);
  using Facts = std::map<std::string, std::string>;
  const auto facts = answer_to<Facts>([&](auto done) { engine_->store().list("t", std::move(done)); });
  EXPECT_EQ(facts.value_or(Facts{}), (Facts{{"k", "v"}}));
}

TEST_F(SqliteEngineTest, WhatWaitsAtTheEndIsWritten) {
  SqliteEngineSettings patient;
  patient.stopping = 5min;
  ASSERT_TRUE(start(std::move(patient)));
  constexpr std::size_t many = 5'000;
  std::atomic<std::size_t> stored{0};
  for (std::size_t i = 0; i < many; ++i) {
    engine_->events().append(LifecycleEvent{.kind = "connected"},
                             [&](const auto& outcome) { stored += outcome ? 1 : 0; });
  }
  engine_->broker().stop();
  EXPECT_EQ(stored, many);
  ASSERT_TRUE(start());
  const auto read = answer_to<LifecycleEvents>([&](auto done) { engine_->events().read(0, 1, std::move(done)); });
  ASSERT_TRUE(read);
  EXPECT_EQ(read->newest, many);
}

TEST_F(SqliteEngineTest, WhatCannotBeWrittenInTimeIsSaid) {
  std::atomic<std::size_t> said{0};
  std::atomic<std::size_t> answered{0};
  std::atomic<std::size_t> stored{0};
  SqliteEngineSettings settings;
  settings.stopping = 1ms;
  settings.failed = [&](const Fault& fault) { said += fault.kind == FaultKind::unavailable ? 1 : 0; };
  ASSERT_TRUE(start(std::move(settings)));
  constexpr std::size_t many = 50'000;
  for (std::size_t i = 0; i < many; ++i) {
    engine_->events().append(LifecycleEvent{.kind = "connected"}, [&](const auto& outcome) {
      ++answered;
      stored += outcome ? 1 : 0;
    });
  }
  engine_->broker().stop();
  EXPECT_EQ(answered, many);
  EXPECT_GT(said, 0U);
  EXPECT_EQ(said + stored, many);
}

TEST_F(SqliteEngineTest, NobodyElseMayReadItsFiles) {
  ASSERT_TRUE(start());
  EXPECT_TRUE(publish("a", "x", kept_));
  for (const char* suffix : {"", "-wal", "-shm", "-guard"}) {
    const auto mode = std::filesystem::status(path_ + suffix).permissions();
    EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write) << suffix;
  }
}

TEST_F(SqliteEngineTest, ASecondOneOnTheSameFileIsRefused) {
  ASSERT_TRUE(start());
  SqliteEngine second({.path = path_});
  const auto started = second.broker().start(events_);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, FaultKind::unavailable);
  EXPECT_NE(started.error().sentence.find("in use by another process"), std::string::npos);
  EXPECT_TRUE(publish("a", "x", kept_));
}

TEST_F(SqliteEngineTest, FilesOfOthersAreRefusedAndNotTouched) {
  std::ofstream(path_) << "this is a diary, not a database";
  EXPECT_EQ(refused(), FaultKind::corrupt);
  std::ifstream file(path_);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "this is a diary, not a database");

  std::filesystem::remove(path_);
  sql(path_, "CREATE TABLE recipes(name)");
  EXPECT_EQ(refused(), FaultKind::unsupported);
}

TEST_F(SqliteEngineTest, ANewerFileIsRefused) {
  ASSERT_TRUE(start());
  engine_.reset();
  sql(path_, "PRAGMA user_version = 2");
  EXPECT_EQ(refused(), FaultKind::unsupported);
}

TEST_F(SqliteEngineTest, APlaceWhereNothingCanBeWrittenIsRefused) {
  path_ = folder_.file("no/such/folder/db");
  EXPECT_EQ(refused(), FaultKind::unavailable);
}

TEST_F(SqliteEngineTest, AFullDiskLosesNothingAndIsLeftAgain) {
  std::mutex guarding;
  std::vector<Fault> told;
  ASSERT_TRUE(start({.size_limit_bytes = 500'000, .failed = [&](const Fault& fault) {
                       const std::scoped_lock lock(guarding);
                       told.push_back(fault);
                     }}));
  const std::string data(10'000, 'x');
  std::uint64_t accepted = 0;
  Outcome<PublishOutcome> outcome;
  while (accepted < 1'000 && (outcome = publish("a", data, kept_)).has_value()) {
    ASSERT_EQ(outcome->position.offset, ++accepted);
  }
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, FaultKind::full);
  EXPECT_GT(accepted, 10u);
  {
    const std::scoped_lock lock(guarding);
    ASSERT_FALSE(told.empty());
    EXPECT_EQ(told.front().kind, FaultKind::full);
    EXPECT_EQ(told.front().sentence, path_ + ": the database has no more room (disk, quota or size limit)");
  }
  ASSERT_TRUE(history("a"));
  EXPECT_EQ(history("a")->publications.size(), accepted);
  EXPECT_EQ(history("a")->top.offset, accepted);
  engine_.reset();

  ASSERT_TRUE(start({.size_limit_bytes = 500'000}));
  EXPECT_EQ(history("a")->publications.size(), accepted);
  EXPECT_TRUE(answer_to<void>([&](auto done) { engine_->broker().remove_history("a", std::move(done)); }));
  const auto next = publish("a", data, kept_);
  ASSERT_TRUE(next) << next.error().sentence;
  EXPECT_EQ(next->position.offset, accepted + 1);
}

// Many calls wait, one of them is too big: the others do not pay for it.
TEST_F(SqliteEngineTest, OneThatFindsNoRoomDoesNotTakeOthersWithIt) {
  ASSERT_TRUE(start({.size_limit_bytes = 500'000}));
  std::atomic<int> good{0};
  std::atomic<int> full{0};
  std::atomic<int> open{21};
  for (int i = 0; i < 21; ++i) {
    Publication publication;
    publication.data.assign(i == 10 ? 2'000'000 : 100, 'x');
    engine_->broker().publish("a", publication, kept_, [&](const Outcome<PublishOutcome>& outcome) {
      if (outcome) ++good;
      if (!outcome && outcome.error().kind == FaultKind::full) ++full;
      if (--open == 0) open.notify_all();
    });
  }
  for (int left = open; left > 0; left = open) open.wait(left);
  EXPECT_EQ(good, 20);
  EXPECT_EQ(full, 1);
  EXPECT_EQ(history("a")->publications.size(), 20u);
}

TEST_F(SqliteEngineTest, AnOlderCopyGetsNewEpochs) {
  ASSERT_TRUE(start());
  const auto first = publish("a", "1", kept_);
  engine_.reset();
  std::filesystem::copy_file(path_, folder_.file("copy"));
  ASSERT_TRUE(start());
  EXPECT_TRUE(publish("a", "2", kept_));
  engine_.reset();

  std::filesystem::copy_file(folder_.file("copy"), path_, std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(refused(), FaultKind::corrupt);  // acknowledged ones are missing
  std::filesystem::remove(path_ + "-guard");
  ASSERT_TRUE(start());
  const auto found = history("a");
  ASSERT_TRUE(found && first);
  EXPECT_NE(found->top.epoch, first->position.epoch);
  EXPECT_EQ(found->top.offset, 0u);
  engine_.reset();

  std::filesystem::remove(path_);
  EXPECT_EQ(refused(), FaultKind::corrupt);  // a lost file is not silently begun again
}

}  // namespace fairlead::server

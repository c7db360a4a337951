// SPDX-License-Identifier: Apache-2.0
// Kills a publishing process at random moments and looks at what is left. FAIRLEAD_CRASH_ROUNDS says how often.
#include "broker/conformance.h"
#include "broker/sqlite/sqlite_engine.h"
#include "broker/sqlite/temporary_folder_testing.h"

#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fairlead::server {

namespace {

constexpr int default_rounds = 10;
constexpr std::uint64_t history_size = 2'000;  // as the writer keeps

// What the writer said to be safe, over all rounds.
struct Acknowledged {
  struct Channel {
    std::string epoch;
    std::map<std::uint64_t, std::string> keys;  // by offset
  };
  std::map<std::string, Channel> channels;
  std::uint64_t newest_event = 0;
  int publications = 0;

  void note(const std::string& line) {
    std::istringstream words(line);
    std::string what;
    std::string channel;
    std::string epoch;
    std::string key;
    std::uint64_t number = 0;
    words >> what;
    if (what == "E") {
      words >> number;
      newest_event = std::max(newest_event, number);
    } else if (what == "P") {
      words >> channel >> number >> epoch >> key;
      ASSERT_FALSE(key.empty()) << line;
      Channel& known = channels[channel];
      if (known.epoch.empty()) known.epoch = epoch;
      EXPECT_EQ(known.epoch, epoch);
      EXPECT_TRUE(known.keys.emplace(number, key).second) << "offset " << number << " was given away twice";
      ++publications;
    } else {
      FAIL() << line;
    }
  }
};

class Writer {
 public:
  Writer(const std::string& path, int round) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
    output_ = ends[0];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    const std::string program =
        std::filesystem::read_symlink("/proc/self/exe").parent_path() / "server_broker_crash_writer";
    std::string first = program;
    std::string second = path;
    std::string third = std::to_string(round);
    std::array<char*, 4> arguments = {first.data(), second.data(), third.data(), nullptr};
    if (::posix_spawn(&process_, program.c_str(), &actions, nullptr, arguments.data(), environ) != 0) process_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() {
    kill();
    if (output_ >= 0) ::close(output_);
  }
  [[nodiscard]] bool started() const { return process_ > 0; }

  // Waits until it has acknowledged something.
  [[nodiscard]] bool wait_for_output() const {
    pollfd ready{.fd = output_, .events = POLLIN, .revents = 0};
    return ::poll(&ready, 1, 60'000) == 1;
  }
  void read_for(std::chrono::microseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
      pollfd ready{.fd = output_, .events = POLLIN, .revents = 0};
      if (::poll(&ready, 1, 1) == 1 && !read_some()) return;
    }
  }
  void kill() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
  }
  // All whole lines that it has written before its end.
  [[nodiscard]] std::string rest() {
    while (read_some()) continue;
    return said_.substr(0, said_.rfind('\n') + 1);
  }

 private:
  bool read_some() {
    std::array<char, 65536> buffer{};
    const ssize_t got = ::read(output_, buffer.data(), buffer.size());
    if (got > 0) said_.append(buffer.data(), static_cast<std::size_t>(got));
    return got > 0;
  }
  int output_ = -1;
  pid_t process_ = -1;
  std::string said_;
};

void crash_once(const std::string& path, int round, std::mt19937& random, Acknowledged& acknowledged) {
  Writer writer(path, round);
  ASSERT_TRUE(writer.started());
  // Some die while they still open the file, most while they publish.
  const bool early = round % 10 == 9;
  ASSERT_TRUE(early || writer.wait_for_output());
  writer.read_for(std::chrono::microseconds(std::uniform_int_distribution<int>(0, early ? 20'000 : 60'000)(random)));
  writer.kill();
  std::istringstream lines(writer.rest());
  for (std::string line; std::getline(lines, line);) acknowledged.note(line);
}

void check_history(Broker& broker, const std::string& channel, const Acknowledged::Channel& acknowledged) {
  const auto found =
      answer_to<History>([&](auto done) { broker.history(channel, {.limit = 1'000'000}, std::move(done)); });
  ASSERT_TRUE(found.has_value()) << found.error().sentence;
  EXPECT_EQ(found->top.epoch, acknowledged.epoch);
  EXPECT_GE(found->top.offset, acknowledged.keys.rbegin()->first);
  ASSERT_EQ(found->publications.size(), std::min(found->top.offset, history_size));
  std::uint64_t offset = found->top.offset - found->publications.size();
  for (const PublicationPtr& publication : found->publications) {
    ASSERT_EQ(publication->offset, ++offset);  // without holes
    const auto known = acknowledged.keys.find(offset);
    ASSERT_TRUE(known == acknowledged.keys.end() || known->second == publication->data);
  }
  EXPECT_EQ(offset, found->top.offset);
}

void check_keys(Broker& broker, const std::string& channel, const Acknowledged::Channel& acknowledged) {
  int left = 20;
  for (auto known = acknowledged.keys.rbegin(); known != acknowledged.keys.rend() && left > 0; ++known, --left) {
    PublishOptions options{.history_size = history_size, .history_ttl = std::chrono::hours(1)};
    options.idempotency_key = known->second;
    const auto outcome =
        answer_to<PublishOutcome>([&](auto done) { broker.publish(channel, {}, options, std::move(done)); });
    ASSERT_TRUE(outcome.has_value());
    EXPECT_TRUE(outcome->repeated);
    EXPECT_EQ(outcome->position, (StreamPosition{known->first, acknowledged.epoch}));
  }
}

void check(const std::string& path, const Acknowledged& acknowledged) {
  RecordedEvents events;
  SqliteEngine engine({.path = path});
  const auto started = engine.broker().start(events);
  ASSERT_TRUE(started.has_value()) << started.error().sentence;
  for (const auto& [channel, known] : acknowledged.channels) {
    check_history(engine.broker(), channel, known);
    check_keys(engine.broker(), channel, known);
  }
  const auto log = answer_to<LifecycleEvents>([&](auto done) { engine.events().read(0, 1'000'000, std::move(done)); });
  ASSERT_TRUE(log.has_value());
  EXPECT_GE(log->newest, acknowledged.newest_event);
  EXPECT_EQ(log->events.size(), log->newest);
}

int rounds() {
  const char* wanted = std::getenv("FAIRLEAD_CRASH_ROUNDS");  // NOLINT(concurrency-mt-unsafe): before any thread
  return wanted == nullptr ? default_rounds : std::atoi(wanted);
}

}  // namespace

TEST(Crash, NothingAcknowledgedIsEverLost) {
  const TemporaryFolder folder;
  const std::string path = folder.file("db");
  Acknowledged acknowledged;
  std::mt19937 random(20'26);
  for (int round = 0; round < rounds() && !testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    crash_once(path, round, random, acknowledged);
    // Now and then the next process finds what two crashes have left.
    if (round % 3 != 1) check(path, acknowledged);
  }
  EXPECT_GT(acknowledged.publications, rounds());
  RecordProperty("acknowledged", acknowledged.publications);
}

}  // namespace fairlead::server

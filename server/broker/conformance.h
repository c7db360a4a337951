// SPDX-License-Identifier: Apache-2.0
// The suite that makes all engines the same: each sentence of broker.h, event_log.h and store.h as a test, run with
// every engine that broker/conformance_engines_test.cc instantiates it for. Time is the suite's: nothing sleeps.
#pragma once

#include "broker/clock.h"
#include "broker/engine.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace fairlead::server {

struct EngineFactory {
  std::string name;
  // Not started yet; keeps at most `event_log_size` unacknowledged events.
  std::function<std::unique_ptr<Engine>(WallClock clock, std::size_t event_log_size)> make;
};

// Everything that an engine told, and whether it broke the rules for telling.
class RecordedEvents final : public BrokerEvents {
 public:
  struct Told {
    std::string channel;
    PublicationPtr publication;
    StreamPosition position;
    PublicationPtr previous;
  };
  struct Membership {
    std::string channel;
    ClientInfo info;
    bool joined = false;
    friend bool operator==(const Membership&, const Membership&) = default;
  };

  void on_publication(const std::string& channel, PublicationPtr publication, const StreamPosition& position,
                      PublicationPtr previous) override {
    const Inside inside(*this, channel);
    std::this_thread::yield();  // invites another event of the channel in, which must not come
    const std::lock_guard lock(lock_);
    told_.push_back({channel, std::move(publication), position, std::move(previous)});
    changed_.notify_all();
  }
  void on_join(const std::string& channel, const ClientInfo& info) override { record(channel, info, true); }
  void on_leave(const std::string& channel, const ClientInfo& info) override { record(channel, info, false); }

  [[nodiscard]] std::vector<Told> wait_for(std::size_t count) {
    std::unique_lock lock(lock_);
    changed_.wait_for(lock, patience, [&] { return told_.size() >= count; });
    return told_;
  }
  [[nodiscard]] std::vector<Membership> wait_for_members(std::size_t count) {
    std::unique_lock lock(lock_);
    changed_.wait_for(lock, patience, [&] { return members_.size() >= count; });
    return members_;
  }
  [[nodiscard]] bool overlapped() const { return overlapped_; }

  static constexpr std::chrono::seconds patience{60};

 private:
  class Inside {
   public:
    Inside(RecordedEvents& events, const std::string& channel) : events_(events), channel_(channel) {
      const std::lock_guard lock(events_.lock_);
      if (!events_.inside_.insert(channel_).second) events_.overlapped_ = true;
    }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    ~Inside() {
      const std::lock_guard lock(events_.lock_);
      events_.inside_.erase(channel_);
    }

   private:
    RecordedEvents& events_;
    const std::string& channel_;
  };
  void record(const std::string& channel, const ClientInfo& info, bool joined) {
    const Inside inside(*this, channel);
    const std::lock_guard lock(lock_);
    members_.push_back({channel, info, joined});
    changed_.notify_all();
  }

  std::mutex lock_;
  std::condition_variable changed_;
  std::vector<Told> told_;
  std::vector<Membership> members_;
  std::set<std::string> inside_;
  std::atomic<bool> overlapped_{false};
};

// The answer to a call; a second answer to the same call ends the test program.
template <class T, class Ask>
[[nodiscard]] Outcome<T> answer_to(Ask ask) {
  const auto promise = std::make_shared<std::promise<Outcome<T>>>();
  std::future<Outcome<T>> future = promise->get_future();
  ask(Done<T>([promise](Outcome<T> outcome) { promise->set_value(std::move(outcome)); }));
  if (future.wait_for(RecordedEvents::patience) != std::future_status::ready) {
    return std::unexpected(Fault{FaultKind::timed_out, "the engine did not answer"});
  }
  return future.get();
}

class EngineConformance : public testing::TestWithParam<EngineFactory> {
 protected:
  static constexpr std::size_t event_log_size = 100;

  void SetUp() override {
    engine_ = GetParam().make([this] { return WallTime(std::chrono::milliseconds(now_ms_)); }, event_log_size);
    const auto started = engine_->broker().start(events_);
    ASSERT_TRUE(started.has_value()) << started.error().sentence;
  }
  void TearDown() override {
    engine_->broker().stop();
    EXPECT_FALSE(events_.overlapped());
  }

  Broker& broker() { return engine_->broker(); }
  EventLog& log() { return engine_->events(); }
  Store& store() { return engine_->store(); }
  void advance(std::chrono::milliseconds time) { now_ms_ += time.count(); }
  [[nodiscard]] WallTime now() const { return WallTime(std::chrono::milliseconds(now_ms_)); }

  static PublishOptions kept(std::size_t size = 10, std::chrono::milliseconds ttl = std::chrono::minutes(1)) {
    return {.history_size = size, .history_ttl = ttl};
  }
  static Publication text(std::string data) {
    Publication publication;
    publication.data = std::move(data);
    return publication;
  }
  Outcome<PublishOutcome> publish(const std::string& channel, Publication publication, const PublishOptions& options) {
    return answer_to<PublishOutcome>(
        [&](auto done) { broker().publish(channel, std::move(publication), options, std::move(done)); });
  }
  // Of a publication that must succeed.
  StreamPosition published(const std::string& channel, const std::string& data,
                           const PublishOptions& options = kept()) {
    const auto outcome = publish(channel, text(data), options);
    EXPECT_TRUE(outcome.has_value());
    return outcome ? outcome->position : StreamPosition{};
  }
  Outcome<History> history(const std::string& channel, const HistoryQuery& query) {
    return answer_to<History>([&](auto done) { broker().history(channel, query, std::move(done)); });
  }
  std::vector<std::string> texts(const std::string& channel, const HistoryQuery& query = {.limit = everything}) {
    std::vector<std::string> found;
    if (const auto answer = history(channel, query)) {
      for (const PublicationPtr& publication : answer->publications) found.push_back(publication->data);
    }
    return found;
  }
  StreamPosition top(const std::string& channel) {
    const auto answer = history(channel, {});
    return answer ? answer->top : StreamPosition{};
  }
  std::string latest(const std::string& channel) {  // "" when there is none
    const auto answer = answer_to<PublicationPtr>([&](auto done) { broker().latest(channel, std::move(done)); });
    return answer && *answer ? (*answer)->data : std::string();
  }
  void subscribe(const std::string& channel) {
    EXPECT_TRUE(answer_to<void>([&](auto done) { broker().subscribe(channel, std::move(done)); }));
  }

  void add_member(const ClientInfo& info, std::chrono::milliseconds ttl = std::chrono::minutes(1)) {
    EXPECT_TRUE(answer_to<void>([&](auto done) { broker().add_presence("room", info, ttl, std::move(done)); }));
  }
  void remove_member(const std::string& client) {
    EXPECT_TRUE(answer_to<void>([&](auto done) { broker().remove_presence("room", client, std::move(done)); }));
  }
  Presence members(const std::string& channel = "room") {
    return answer_to<Presence>([&](auto done) { broker().presence(channel, std::move(done)); }).value_or(Presence{});
  }
  PresenceStats stats() {
    return answer_to<PresenceStats>([&](auto done) { broker().presence_stats("room", std::move(done)); })
        .value_or(PresenceStats{});
  }

  static LifecycleEvent event(std::uint32_t number) {
    return {.time_ms = 7,
            .kind = "disconnected",
            .client = "c",
            .user = "u",
            .channel = "ch",
            .code = number,
            .reason = "why"};
  }
  std::uint64_t append(std::uint32_t number) {
    return answer_to<std::uint64_t>([&](auto done) { log().append(event(number), std::move(done)); }).value_or(0);
  }
  LifecycleEvents read(std::uint64_t after, std::size_t limit = 1000) {
    return answer_to<LifecycleEvents>([&](auto done) { log().read(after, limit, std::move(done)); })
        .value_or(LifecycleEvents{});
  }
  Outcome<void> acknowledge(std::uint64_t sequence) {
    return answer_to<void>([&](auto done) { log().acknowledge(sequence, std::move(done)); });
  }
  void put(const std::string& table, const std::string& key, const std::string& value, WallTime until) {
    EXPECT_TRUE(answer_to<void>([&](auto done) { store().put(table, key, value, until, std::move(done)); }));
  }
  std::map<std::string, std::string> list(const std::string& table) {
    using Facts = std::map<std::string, std::string>;
    return answer_to<Facts>([&](auto done) { store().list(table, std::move(done)); }).value_or(Facts{});
  }

  static constexpr std::size_t everything = 1'000'000;
  std::atomic<std::int64_t> now_ms_{1'800'000'000'000};
  RecordedEvents events_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace fairlead::server

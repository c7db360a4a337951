// SPDX-License-Identifier: Apache-2.0
#include "app/event_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace fairlead::server {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Takes events, refuses them, or leaves the question open.
class MoodyLog final : public EventLog {
 public:
  void append_all(std::vector<LifecycleEvent> events, Done<std::uint64_t> done) override {
    ++asked;
    if (silent) {
      open.emplace_back(std::move(events), std::move(done));
      return;
    }
    answer(std::move(events), done);
  }
  void answer(std::vector<LifecycleEvent> events, const Done<std::uint64_t>& done) {
    if (full) return done(std::unexpected(Fault{FaultKind::full, "there is no more room"}));
    for (LifecycleEvent& event : events) kept.push_back(event.kind + event.channel + event.reason);
    done(kept.size());
  }
  void answer_all() {
    while (!open.empty()) {
      auto [events, done] = std::move(open.front());
      open.erase(open.begin());
      answer(std::move(events), done);
    }
  }
  void read(std::uint64_t, std::size_t, Done<LifecycleEvents> done) override { done(LifecycleEvents{}); }
  void acknowledge(std::uint64_t, Done<void> done) override { done({}); }

  bool full = false, silent = false;
  int asked = 0;
  std::vector<std::string> kept;
  std::vector<std::pair<std::vector<LifecycleEvent>, Done<std::uint64_t>>> open;
};

class EventStreaming : public testing::Test {
 protected:
  static EventDeliverySettings settings(bool enabled = true) {
    EventDeliverySettings made;
    made.enabled = enabled;
    return made;
  }
  void happens(const std::string& channel, const std::string& kind = "e") {
    LifecycleEvent event;
    event.kind = kind;
    event.channel = channel;
    stream.append(std::move(event), [this](const Outcome<std::uint64_t>& outcome) {
      answers.push_back(outcome ? static_cast<std::int64_t>(*outcome) : -1);
    });
  }
  void time_passes() {
    for (auto& [delay, call] : std::exchange(later, {})) call();
  }
  double metric(std::size_t index) { return stream.metrics().at(index).samples.at(0).value; }

  MoodyLog log;
  std::vector<std::pair<milliseconds, std::function<void()>>> later;
  std::vector<std::string> lines;
  std::vector<std::int64_t> answers;
  int appended = 0;
  EventStream stream{
      log,
      settings(),
      {.after = [this](milliseconds delay, std::function<void()> call) { later.emplace_back(delay, std::move(call)); },
       .log = [this](LogLevel, std::string_view line) { lines.emplace_back(line); },
       .waiting_limit = 4}};
};

TEST_F(EventStreaming, EventsAreStoredInOrderAndAnsweredWithTheirSequences) {
  stream.on_append([this] { ++appended; });
  happens("1");
  happens("2");
  EXPECT_THAT(log.kept, ElementsAre("e1", "e2"));
  EXPECT_THAT(answers, ElementsAre(1, 2));
  EXPECT_EQ(appended, 2);
}

TEST_F(EventStreaming, WhatComesMeanwhileGoesTogether) {
  log.silent = true;
  for (const char* one : {"1", "2", "3", "4"}) happens(one);
  EXPECT_EQ(log.asked, 1);
  log.silent = false;
  log.answer_all();
  EXPECT_EQ(log.asked, 2);
  EXPECT_THAT(log.kept, ElementsAre("e1", "e2", "e3", "e4"));
  EXPECT_THAT(answers, ElementsAre(1, 2, 3, 4));
}

TEST_F(EventStreaming, WhatTheEngineRefusesIsTriedAgainInOrder) {
  log.full = true;
  happens("1");
  happens("2");
  EXPECT_THAT(log.kept, IsEmpty());
  time_passes();
  EXPECT_GT(later.at(0).first, milliseconds(100));
  log.full = false;
  happens("3");
  EXPECT_THAT(log.kept, IsEmpty());
  EXPECT_EQ(metric(0), 3);
  time_passes();
  EXPECT_THAT(log.kept, ElementsAre("e1", "e2", "e3"));
  EXPECT_THAT(answers, ElementsAre(1, 2, 3));
  EXPECT_THAT(lines, IsEmpty());
  EXPECT_EQ(metric(0), 0);
  EXPECT_EQ(metric(1), 0);
}

TEST_F(EventStreaming, PastTheBoundTheStreamSaysWhereEventsAreMissing) {
  log.full = true;
  for (const char* one : {"1", "2", "3", "4", "5", "6", "7"}) happens(one);
  EXPECT_THAT(lines, ElementsAre(HasSubstr("lifecycle events are lost")));
  EXPECT_THAT(answers, ElementsAre(-1, -1, -1));
  EXPECT_EQ(metric(1), 3);
  log.full = false;
  time_passes();
  happens("8");
  EXPECT_THAT(log.kept, ElementsAre("e1", "e2", "e3", "e4", "events_lost3 events are missing here", "e8"));
  EXPECT_THAT(lines, ElementsAre(testing::_, HasSubstr("again: 3 were lost")));
}

TEST_F(EventStreaming, WhatIsLostWhileTheHoleIsOnItsWayIsAnotherHole) {
  log.full = true;
  for (const char* one : {"1", "2", "3", "4", "5"}) happens(one);
  log.full = false;
  log.silent = true;
  time_passes();
  happens("6");
  log.silent = false;
  log.answer_all();
  EXPECT_THAT(log.kept, ElementsAre("e1", "e2", "e3", "e4", "events_lost1 events are missing here",
                                    "events_lost1 events are missing here"));
  EXPECT_EQ(lines.size(), 2U);
}

TEST_F(EventStreaming, OnlyWantedKindsAndWhatIsAboutTheStream) {
  EventDeliverySettings some = settings();
  some.kinds = {"connected"};
  stream.reconfigure(some);
  stream.begin("one");
  happens("1", "subscribed");
  happens("", "connected");
  EXPECT_THAT(log.kept, ElementsAre("node_startedone", "connected"));
  EXPECT_THAT(answers, ElementsAre(0, 2));
}

TEST_F(EventStreaming, TheEndWaitsForTheEngineButNotForEver) {
  log.full = true;
  happens("1");
  stream.finish(milliseconds(10));
  EXPECT_THAT(lines, IsEmpty());
  stream.ended();
  EXPECT_THAT(lines, ElementsAre(HasSubstr("1 lifecycle events could not be stored before the end")));
  EXPECT_EQ(metric(0), 0);
  EXPECT_EQ(metric(1), 1);
}

TEST_F(EventStreaming, AtTheEndTheEngineHasEverythingThatWaits) {
  log.silent = true;
  for (const char* one : {"1", "2", "3"}) happens(one);
  EXPECT_EQ(log.asked, 1);
  stream.finish(milliseconds(10));
  EXPECT_EQ(log.asked, 2) << "it does not wait for the answer";
  EXPECT_EQ(metric(0), 3);
  log.silent = false;
  log.answer_all();  // while the engine stops
  stream.ended();
  EXPECT_THAT(log.kept, ElementsAre("e1", "e2", "e3"));
  EXPECT_THAT(answers, ElementsAre(1, 2, 3));
  EXPECT_THAT(lines, IsEmpty());
  EXPECT_EQ(metric(0), 0);
  EXPECT_EQ(metric(1), 0);
}

TEST_F(EventStreaming, WhatTheEngineRefusesWhileItStopsIsLostAndSaid) {
  log.silent = true;
  for (const char* one : {"1", "2", "3"}) happens(one);
  stream.finish(milliseconds(10));
  log.silent = false;
  log.full = true;
  log.answer_all();
  happens("4");
  stream.ended();
  EXPECT_THAT(log.kept, IsEmpty());
  EXPECT_THAT(lines, ElementsAre(HasSubstr("4 lifecycle events could not be stored before the end")));
  EXPECT_EQ(metric(1), 4);
}

TEST(EventStream, IsEmptyWhenItIsSwitchedOff) {
  MoodyLog log;
  EventStream stream{log, EventDeliverySettings{}, {.after = {}, .log = {}}};
  stream.begin("one");
  stream.append(LifecycleEvent{.kind = "connected"}, [](const Outcome<std::uint64_t>&) {});
  EXPECT_EQ(log.asked, 0);
  EXPECT_TRUE(stream.metrics().empty());
}

}  // namespace
}  // namespace fairlead::server

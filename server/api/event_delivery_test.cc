// SPDX-License-Identifier: Apache-2.0
#include "api/event_delivery.h"

#include "api/json.h"
#include "api/secrets.h"
#include "api/testing/backend_server.h"
#include "api/testing/http_client_on_a_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace fairlead::server {
namespace {

using std::chrono::milliseconds;
using testing::BackendServer;
using ::testing::ElementsAre;

// A log that keeps what was acknowledged as well, and lets a test wait for an acknowledgement.
class FakeLog : public EventLog {
 public:
  void append_all(std::vector<LifecycleEvent> events, Done<std::uint64_t> done) override {
    std::uint64_t sequence = 0;
    {
      const std::scoped_lock lock(mutex_);
      for (LifecycleEvent& event : events) {
        sequence = event.sequence = events_.size() + 1;
        events_.push_back(std::move(event));
      }
    }
    done(sequence);
  }
  void read(std::uint64_t after, std::size_t limit, Done<LifecycleEvents> done) override {
    LifecycleEvents read;
    {
      const std::scoped_lock lock(mutex_);
      for (auto i = static_cast<std::size_t>(after); i < events_.size() && read.events.size() < limit; ++i) {
        read.events.push_back(events_[i]);
      }
      read.newest = events_.size();
      read.acknowledged = acknowledged_;
      read.lost_before = lost_before;
    }
    done(std::move(read));
  }
  void acknowledge(std::uint64_t sequence, Done<void> done) override {
    bool valid = false;
    {
      const std::scoped_lock lock(mutex_);
      valid = sequence >= acknowledged_ && sequence <= events_.size();
      if (valid) acknowledged_ = sequence;
      changed_.notify_all();
    }
    done(valid ? Outcome<void>() : std::unexpected(Fault{FaultKind::invalid, "not this one"}));
  }

  void add(const std::string& kind) {
    append({.sequence = 0, .time_ms = 5, .kind = kind, .client = "c", .user = "u", .channel = {}, .reason = {}},
           [](const Outcome<std::uint64_t>&) {});
  }
  bool reaches(std::uint64_t sequence) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return acknowledged_ >= sequence; });
  }
  std::uint64_t lost_before = 0;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<LifecycleEvent> events_;
  std::uint64_t acknowledged_ = 0;
};

// The sequences of each request's events.
std::vector<std::vector<std::int64_t>> batches(BackendServer& backend) {
  std::vector<std::vector<std::int64_t>> all;
  for (const auto& request : backend.requests()) {
    const auto root = parse_json(request.body);
    const auto members = root ? members_of(*root) : std::nullopt;
    const auto* const events = members ? find(*members, "events") : nullptr;
    std::vector<std::int64_t> sequences;
    for (const auto& event :
         events ? elements_of(*events).value_or(std::vector<JsonValue>{}) : std::vector<JsonValue>{}) {
      const auto fields = members_of(event).value_or(std::vector<JsonMember>{});
      const auto* const sequence = find(fields, "sequence");
      sequences.push_back(sequence == nullptr ? -1 : integer_of(*sequence).value_or(-1));
    }
    all.push_back(std::move(sequences));
  }
  return all;
}

class EventDelivering : public ::testing::Test {
 protected:
  FakeLog log;
  testing::HttpClientOnALoop client;

  static EventDeliverySettings settings(const std::string& url) {
    EventDeliverySettings made;
    made.enabled = true;
    made.endpoint = url + "/events";
    made.batch = 2;
    made.retry_delay = milliseconds(1);
    made.retry_delay_max = milliseconds(4);
    made.webhook.signing_secret = "s3";
    made.webhook.timeout = milliseconds(5'000);
    return made;
  }
};

TEST_F(EventDelivering, BatchesComeInOrderSignedAndAreAcknowledged) {
  BackendServer backend([](const Request&) { return Response::empty(204); });
  for (int i = 0; i < 5; ++i) log.add("connected");
  EventDelivery delivery(settings(backend.listen()), log, client, {});
  delivery.start();
  EXPECT_TRUE(log.reaches(5));
  EXPECT_THAT(batches(backend), ElementsAre(ElementsAre(1, 2), ElementsAre(3, 4), ElementsAre(5)));
  log.add("disconnected");
  delivery.appended();
  EXPECT_TRUE(log.reaches(6));
  const auto last = backend.requests().back();
  EXPECT_EQ(last.path, "/events");
  EXPECT_EQ(last.body, R"({"events":[{"sequence":6,"time":5,"kind":"disconnected","client":"c","user":"u"}]})");
  const std::string time(last.headers.find("X-Fairlead-Timestamp").value_or(""));
  EXPECT_EQ(last.headers.find("X-Fairlead-Signature"), hmac_sha256_hex("s3", time + "." + last.body));
}

TEST_F(EventDelivering, WhatIsRefusedComesAgainUntilItIsTaken) {
  std::atomic<int> refusals = 3;
  BackendServer backend([&](const Request&) { return Response::empty(refusals-- > 0 ? 503 : 200); });
  log.add("connected");
  log.add("subscribed");
  log.add("disconnected");
  std::atomic<int> warnings = 0;
  EventDeliveryEnvironment environment;
  environment.warn = [&](const std::string&) { ++warnings; };
  EventDelivery delivery(settings(backend.listen()), log, client, environment);
  delivery.start();
  EXPECT_TRUE(log.reaches(3));
  EXPECT_THAT(batches(backend),
              ElementsAre(ElementsAre(1, 2), ElementsAre(1, 2), ElementsAre(1, 2), ElementsAre(1, 2), ElementsAre(3)));
  EXPECT_EQ(delivery.stats().failures, 3U);
  EXPECT_EQ(warnings, 1) << "once for a row of failures";
}

TEST_F(EventDelivering, NewProcessGoesOnAfterTheAcknowledged) {
  BackendServer backend([](const Request&) { return Response::empty(200); });
  for (int i = 0; i < 4; ++i) log.add("connected");
  log.acknowledge(3, [](const Outcome<void>&) {});
  EventDelivery delivery(settings(backend.listen()), log, client, {});
  delivery.start();
  EXPECT_TRUE(log.reaches(4));
  EXPECT_THAT(batches(backend), ElementsAre(ElementsAre(4)));
}

TEST_F(EventDelivering, KindsThatAreNotWantedAreAcknowledgedUnsent) {
  BackendServer backend([](const Request&) { return Response::empty(200); });
  for (const std::string kind : {"subscribed", "subscribed", "connected", "subscribed"}) log.add(kind);
  auto wanted = settings(backend.listen());
  wanted.kinds = {"connected", "disconnected"};
  EventDelivery delivery(wanted, log, client, {});
  delivery.start();
  EXPECT_TRUE(log.reaches(4));
  EXPECT_THAT(batches(backend), ElementsAre(ElementsAre(3)));
}

TEST_F(EventDelivering, LostEventsAreCountedOnce) {
  BackendServer backend([](const Request&) { return Response::empty(200); });
  for (int i = 0; i < 3; ++i) log.add("connected");
  log.lost_before = 3;
  EventDelivery delivery(settings(backend.listen()), log, client, {});
  delivery.start();
  EXPECT_TRUE(log.reaches(3));
  EXPECT_EQ(delivery.stats().lost, 2U);
  EXPECT_EQ(delivery.metrics().size(), 4U);
}

// Also while the pause for the old ones has only begun.
TEST_F(EventDelivering, NewSettingsCountFromTheNextBatchOn) {
  BackendServer old_backend([](const Request&) { return Response::empty(503); });
  BackendServer new_backend([](const Request&) { return Response::empty(200); });
  std::atomic<int> warnings = 0;
  EventDeliveryEnvironment environment;
  environment.warn = [&](const std::string&) { ++warnings; };
  for (const std::string kind : {"connected", "subscribed", "disconnected"}) log.add(kind);
  auto patient = settings(old_backend.listen());
  patient.retry_delay = patient.retry_delay_max = std::chrono::hours(1);
  EventDelivery delivery(patient, log, client, environment);
  delivery.start();
  for (int i = 0; i < 2'000 && delivery.stats().failures < 1; ++i) std::this_thread::sleep_for(milliseconds(5));
  EXPECT_EQ(delivery.stats().failures, 1U);
  auto changed = settings(new_backend.listen());
  changed.batch = 3;
  changed.kinds = {"connected", "disconnected"};
  delivery.reconfigure(changed);
  EXPECT_TRUE(log.reaches(3));
  EXPECT_THAT(batches(new_backend), ElementsAre(ElementsAre(1, 3)));
  EXPECT_EQ(warnings, 1);
}

TEST_F(EventDelivering, WaitsWhileThereIsNoEndpoint) {
  BackendServer backend([](const Request&) { return Response::empty(200); });
  const auto url = backend.listen();
  EventDeliverySettings nowhere = settings(url);
  nowhere.endpoint.clear();
  log.add("connected");
  EventDelivery delivery(nowhere, log, client, {});
  delivery.start();
  log.add("connected");
  delivery.appended();
  EXPECT_EQ(delivery.stats().failures, 0U);
  delivery.reconfigure(settings(url));
  EXPECT_TRUE(log.reaches(2));
  delivery.reconfigure(nowhere);
  log.add("connected");
  delivery.appended();
  delivery.reconfigure(settings(url));
  EXPECT_TRUE(log.reaches(3));
  EXPECT_THAT(batches(backend), ElementsAre(ElementsAre(1, 2), ElementsAre(3)));
}

TEST(EventPause, GrowsToItsBoundWithFullJitter) {
  EventDeliverySettings settings;
  settings.retry_delay = milliseconds(1'000);
  settings.retry_delay_max = milliseconds(60'000);
  EXPECT_EQ(EventDelivery::pause(settings, 1, 1.0), milliseconds(1'000));
  EXPECT_EQ(EventDelivery::pause(settings, 2, 0.5), milliseconds(1'000));
  EXPECT_EQ(EventDelivery::pause(settings, 6, 1.0), milliseconds(32'000));
  EXPECT_EQ(EventDelivery::pause(settings, 7, 1.0), milliseconds(60'000));
  EXPECT_EQ(EventDelivery::pause(settings, 4'000'000'000, 1.0), milliseconds(60'000));
  EXPECT_EQ(EventDelivery::pause(settings, 5, 0.0), milliseconds(0));
}

}  // namespace
}  // namespace fairlead::server

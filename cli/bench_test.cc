// SPDX-License-Identifier: Apache-2.0
// What can be known of `fairlead bench` without a server: what it refuses, when a message is due, what it reports.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <vector>

#include "bench_options.h"
#include "bench_pace.h"
#include "bench_process.h"
#include "bench_report.h"

namespace fairlead::cli {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr TimePoint start{1h};

BenchOptions options_for(std::string url) {
  BenchOptions options;
  options.url = std::move(url);
  return options;
}

TEST(BenchHost, KnowsThisMachine) {
  for (const auto* host : {"localhost", "a.localhost", "127.0.0.1", "127.255.0.9", "::1"})
    EXPECT_TRUE(is_loopback(host)) << host;
  for (const auto* host : {"example.org", "localhost.example.org", "127.0.0.1.example.org", "127.evil.0.1", "10.0.0.1",
                           "128.0.0.1", "::2", "1127.0.0.1", "127.1"})
    EXPECT_FALSE(is_loopback(host)) << host;
}

TEST(BenchHost, OthersNeedTheLoudOption) {
  BenchOptions options = options_for("wss://example.org/");
  const auto refused = check(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::over_limit);
  EXPECT_THAT(refused.error().detail, HasSubstr("--yes-i-own-this-host"));
  options.own_host = true;
  EXPECT_TRUE(check(options));
  EXPECT_TRUE(check(options_for("wss://localhost:8443/echo")));
}

TEST(BenchOptions, RefusesWhatCannotBeMeant) {
  EXPECT_EQ(check(options_for("https//nothing")).error().code, Errc::bad_url);

  BenchOptions rate = options_for("wss://localhost/");
  rate.rate = 10;
  EXPECT_TRUE(check(rate));
  rate.busy_wait = true;
  EXPECT_TRUE(check(rate));
  BenchOptions closed = options_for("wss://localhost/");
  closed.busy_wait = true;
  EXPECT_FALSE(check(closed));
  rate.mode = BenchMode::idle;
  EXPECT_FALSE(check(rate));

  BenchOptions threads = options_for("wss://localhost/");
  threads.connections = threads.threads = 4;
  EXPECT_TRUE(check(threads));
  threads.threads = 5;
  EXPECT_FALSE(check(threads));

  BenchOptions fanout = options_for("wss://localhost/");
  fanout.mode = BenchMode::fanout;
  fanout.connections = 2;
  EXPECT_TRUE(check(fanout));
  fanout.connections = 1;
  EXPECT_FALSE(check(fanout));
}

TEST(BenchOptions, KeepsOneInFlightUnlessARateIsGiven) {
  BenchOptions options;
  EXPECT_EQ(options.window(), 1U);
  options.rate = 100;
  EXPECT_EQ(options.window(), 1'024U);
  options.pipeline = 7;
  EXPECT_EQ(options.window(), 7U);
}

TEST(BenchOptions, TakesSourceAddressesInTurn) {
  BenchOptions options = options_for("wss://localhost/");
  EXPECT_FALSE(client_options(options, 0).local_address);
  options.local_addresses = {"127.0.0.1", "127.0.0.2"};
  EXPECT_EQ(client_options(options, 4).local_address, "127.0.0.1");
  EXPECT_EQ(client_options(options, 5).local_address, "127.0.0.2");
}

TEST(BenchPayload, HasExactlyTheSizeAndIsTheSameEveryTime) {
  for (const std::size_t size : {0U, 1U, 20U, 1'024U, 100'000U}) {
    for (const MessageKind kind : {MessageKind::text, MessageKind::binary}) {
      EXPECT_EQ(bench_payload(kind, size).size(), size);
      EXPECT_EQ(bench_payload(kind, size), bench_payload(kind, size));
    }
  }
  EXPECT_THAT(bench_payload(MessageKind::text, 200), HasSubstr("\"symbol\":\"EXAMPLE"));
}

TEST(Schedule, IsDueAtEqualDistancesWhateverWasSentWhen) {
  Schedule schedule(start, 1'000);
  EXPECT_EQ(schedule.next(), start);
  schedule.sent();
  EXPECT_EQ(schedule.next(), start + 1ms);
  EXPECT_FALSE(schedule.is_due(start + 999us));
  EXPECT_TRUE(schedule.is_due(start + 1ms));
  for (int i = 0; i < 9; ++i) schedule.sent();
  EXPECT_EQ(schedule.next(), start + 10ms);
}

TEST(Schedule, KnowsWhatShouldHaveBeenSentDuringAStall) {
  Schedule schedule(start, 1'000);
  EXPECT_EQ(schedule.overdue(start - 1ms), 0U);
  EXPECT_EQ(schedule.overdue(start), 1U);
  for (int i = 0; i < 5; ++i) schedule.sent();  // due at 0 to 4 ms
  EXPECT_EQ(schedule.overdue(start + 4ms), 0U);
  EXPECT_EQ(schedule.overdue(start + 9'500us), 5U);  // 5 to 9 ms
  EXPECT_EQ(schedule.overdue_at(0), start + 5ms);
  EXPECT_EQ(schedule.overdue_at(4), start + 9ms);
}

TEST(Schedule, DoesNotDriftAtOddRates) {
  Schedule schedule(start, 30'000);
  for (int i = 0; i < 3'000'000; ++i) schedule.sent();
  EXPECT_LT(std::chrono::abs(schedule.next() - (start + 100s)), 1us);
}

TEST(InFlight, GivesBackDueTimesInOrderAroundItsEnd) {
  InFlight in_flight(3);
  EXPECT_TRUE(in_flight.empty());
  for (int i = 0; i < 10; ++i) {
    in_flight.push(start + i * 2ms);
    in_flight.push(start + i * 2ms + 1ms);
    EXPECT_FALSE(in_flight.full());
    EXPECT_EQ(in_flight.pop(), start + i * 2ms);
    EXPECT_EQ(in_flight.pop(), start + i * 2ms + 1ms);
  }
  for (int i = 0; i < 3; ++i) in_flight.push(start);
  EXPECT_TRUE(in_flight.full());
  EXPECT_EQ(in_flight.size(), 3U);
}

TEST(BenchProcess, SeesItself) {
  const auto before = cpu_time(getpid());
  ASSERT_TRUE(before);
  EXPECT_GT(before->count(), 0);
  EXPECT_GE(own_cpu_time(), *before);
  const auto memory = memory_use(getpid());
  ASSERT_TRUE(memory);
  EXPECT_GT(memory->resident_bytes, 1'000'000U);
  EXPECT_LT(memory->own_bytes, memory->resident_bytes) << "the program's own pages are not counted";
  constexpr std::size_t more = std::size_t{8} * 1024 * 1024;
  const std::vector<char> held(more, 'x');
  const auto grown = memory_use(getpid());
  ASSERT_TRUE(grown);
  EXPECT_NEAR(static_cast<double>(grown->own_bytes - memory->own_bytes), static_cast<double>(more), more / 8.0);
}

TEST(BenchProcess, SaysThatThereIsNone) {
  constexpr long nobody = (1L << 22) + 1;  // above the kernel's largest process id
  EXPECT_FALSE(cpu_time(nobody));
  EXPECT_FALSE(memory_use(nobody));
}

BenchResult some_result() {
  BenchResult result;
  result.seconds = 2;
  result.generator_cpu_seconds = 1;
  result.connections = 10;
  result.tally.count = 1'234'567;
  result.tally.bytes = 2'000'000;
  for (int i = 0; i < 100; ++i) result.tally.latency.record(100us);
  result.tally.latency.record(5ms, 1);
  return result;
}

TEST(BenchReport, CountsPerSecondOfServerTime) {
  BenchResult result = some_result();
  result.server = ServerUse{.cpu_seconds = 1, .before = {}, .after = {}};
  const BenchOptions options = options_for("wss://localhost/");
  EXPECT_THAT(report_text(options, result, false), HasSubstr("617,284 per second"));
  EXPECT_THAT(report_text(options, result, false), HasSubstr("1,234,567 messages per second of its CPU time"));
  EXPECT_THAT(report_json(options, result), HasSubstr(R"("per_cpu_second":1234567)"));
  EXPECT_THAT(report_json(options, result), Not(HasSubstr("memory_per_connection_bytes")));
}

TEST(BenchReport, DividesMemoryByIdleConnections) {
  BenchResult result = some_result();
  result.server =
      ServerUse{.cpu_seconds = 1, .before = MemoryUse{2'000'000, 1'000'000}, .after = MemoryUse{3'000'000, 1'120'000}};
  BenchOptions options = options_for("wss://localhost/");
  options.mode = BenchMode::idle;
  EXPECT_DOUBLE_EQ(result.memory_per_connection_bytes().value(), 12'000);

  const std::string text = report_text(options, result, false);
  EXPECT_THAT(text, HasSubstr("10 connections"));
  EXPECT_THAT(text, HasSubstr("12.0 KB of memory per connection"));
  EXPECT_THAT(text, Not(HasSubstr("bottleneck")));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));

  const std::string json = report_json(options, result);
  EXPECT_THAT(json, HasSubstr(R"("count":1234567)"));
  EXPECT_THAT(json, HasSubstr(R"("memory_per_connection_bytes":12000)"));
  EXPECT_THAT(json, HasSubstr(R"("utilisation":0.5)"));
  EXPECT_THAT(json, HasSubstr(R"("p99.9":)"));
}

TEST(BenchReport, SaysWhenTheGeneratorWasTheBottleneckAndWhatWentWrong) {
  BenchResult result = some_result();
  result.generator_cpu_seconds = 1.99;
  result.tally.lost = 3;
  result.tally.first_loss = "1008 too many\x1b[2J";
  result.tally.wrong = 2;
  const std::string text = report_text(options_for("wss://localhost/"), result, false);
  EXPECT_THAT(text, HasSubstr("it may be the bottleneck"));
  EXPECT_THAT(text, HasSubstr("3 connections ended too early, the first with 1008 too many"));
  EXPECT_THAT(text, HasSubstr("2 answers were not what had been sent"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(BenchReport, AddsUpTheThreads) {
  Tally one;
  one.count = 1;
  one.latency.record(1ms);
  Tally two;
  two.count = 2;
  two.lost = 1;
  two.first_loss = "1011";
  two.latency.record(3ms);
  one.merge(two);
  EXPECT_EQ(one.count, 3U);
  EXPECT_EQ(one.latency.count(), 2U);
  EXPECT_EQ(one.latency.max(), 3ms);
  EXPECT_EQ(one.first_loss, "1011");
}

}  // namespace
}  // namespace fairlead::cli

// SPDX-License-Identifier: Apache-2.0
// Publishes from several threads until it is killed, and says on its standard output what was acknowledged: the part of
// the crash test that crashes.   crash_writer DATABASE ROUND
#include "broker/sqlite/sqlite_engine.h"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

namespace fairlead::server {
namespace {

constexpr int publishers = 4;
constexpr int channels = 3;
constexpr int in_flight = 16;  // per publisher, so that commits come in groups

class Deaf final : public BrokerEvents {
  void on_publication(const std::string&, PublicationPtr, const StreamPosition&, PublicationPtr) override {}
  void on_join(const std::string&, const ClientInfo&) override {}
  void on_leave(const std::string&, const ClientInfo&) override {}
};

// One write of less than PIPE_BUF is never torn. A line that cannot be written any more has nobody who would read it.
void say(const std::string& line) {
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) ::_exit(0);
}

void publish_for_ever(Engine& engine, const std::string& round, int publisher) {
  std::atomic<int> open{0};
  for (std::uint64_t i = 0;; ++i) {
    for (int now = open; now >= in_flight; now = open) open.wait(now);
    ++open;
    const std::string channel = "channel" + std::to_string(i % channels);
    PublishOptions options{.history_size = 2'000, .history_ttl = std::chrono::hours(1)};
    options.idempotency_key = round + "." + std::to_string(publisher) + "." + std::to_string(i);
    Publication publication;
    publication.data = options.idempotency_key;
    engine.broker().publish(channel, publication, options,
                            [&open, channel, key = options.idempotency_key](const Outcome<PublishOutcome>& outcome) {
                              if (outcome) {
                                say("P " + channel + " " + std::to_string(outcome->position.offset) + " " +
                                    outcome->position.epoch + " " + key + "\n");
                              }
                              --open;
                              open.notify_one();
                            });
    if (i % 10 != 0) continue;
    engine.events().append({.kind = "connected"}, [](const Outcome<std::uint64_t>& sequence) {
      if (sequence) say("E " + std::to_string(*sequence) + "\n");
    });
  }
}

int run(const std::string& path, const std::string& round) {
  Deaf events;
  SqliteEngine engine({.path = path});
  if (const auto started = engine.broker().start(events); !started) {
    say("F " + started.error().sentence + "\n");
    return 1;
  }
  std::vector<std::thread> threads;
  threads.reserve(publishers);
  for (int i = 0; i < publishers; ++i) threads.emplace_back([&, i] { publish_for_ever(engine, round, i); });
  for (std::thread& thread : threads) thread.join();
  return 0;
}

}  // namespace
}  // namespace fairlead::server

int main(int count, char** arguments) { return count == 3 ? fairlead::server::run(arguments[1], arguments[2]) : 2; }

// SPDX-License-Identifier: Apache-2.0
// Everybody loses the connection, misses publications, and comes back at the same moment: each must get all that it
// missed, and somebody who has no part in it must not notice.
#include <memory>
#include <utility>
#include <vector>

#include "bystander.h"
#include "crowd.h"
#include "publisher.h"

namespace fairlead::bench {

namespace {

constexpr std::size_t publications_of_a_request = 100;

class RecoverStorm final : public Crowd {
 public:
  explicit RecoverStorm(const Options& options) : Crowd(options), positions_(options.channels) {}

  Outcome run(Meter& meter) {
    open_all();
    leave();
    publish_missed();
    pass(options_.warmup_seconds);
    Bystander bystander(options_);
    meter.start();
    return_all();
    meter.stop();
    outcome_.bystander = bystander.stop();
    describe_tls(outcome_);
    return std::move(outcome_);
  }

 private:
  struct Position {
    std::uint64_t offset = 0;
    std::string epoch;
  };

  void leave() {
    for (const auto& client : clients()) {
      positions_[client->channel_number()] = {client->offset(), client->epoch()};
      client->close();
    }
    storming_ = true;
  }

  void publish_missed() {
    std::size_t left = options_.channels * options_.missed;
    std::size_t at = 0;
    bool done = false;
    const auto next = [&](ApiPublisher& publisher) {
      done = left == 0;
      if (done) return;
      publisher.begin(true);
      for (std::size_t i = 0; i < publications_of_a_request && left > 0; ++i, --left, ++at) {
        publisher.add(channel_name(options_, at / options_.missed), payloads_.numbered(at % options_.missed));
      }
      publisher.send();
    };
    ApiPublisher publisher(network_, options_.speech, options_.api_key,
                           {.ready = next, .trouble = [this](const std::string& what) { on_trouble(what); }});
    publisher.connect();
    wait("publishing what is missed", [&] { return done; });
  }

  void return_all() {
    began_ = Clock::now();
    for (const auto& client : clients()) client->connect();
    wait("recovering", [this] { return outcome_.count == clients().size(); });
  }

  void on_welcome(Client& client) override {
    if (!storming_) return client.subscribe();
    const Position& position = positions_[client.channel_number()];
    client.subscribe_since({.recovered = true, .offset = position.offset, .epoch = position.epoch});
  }

  void on_subscribed(Client& client) override {
    if (!storming_) return is_ready();
    if (!client.recovered()) on_trouble("a client was not recovered");
  }

  void on_publication(Client& client, std::uint64_t) override {
    if (!storming_) return on_trouble("something was published too early");
    if (client.next() < options_.missed) return;
    ++outcome_.count;
    outcome_.latency.record(Clock::now() - began_);
  }

  std::vector<Position> positions_;
  Outcome outcome_;
  TimePoint began_;
  bool storming_ = false;
};

}  // namespace

Outcome run_recover_storm(const Options& options, Meter& meter) { return RecoverStorm(options).run(meter); }

}  // namespace fairlead::bench

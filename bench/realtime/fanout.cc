// SPDX-License-Identifier: Apache-2.0
// One client publishes to the subscribers of one or many channels, as fast as what it publishes arrives.
#include <deque>
#include <utility>
#include <vector>

#include "crowd.h"

namespace fairlead::bench {

namespace {

class Fanout final : public Crowd {
 public:
  explicit Fanout(const Options& options) : Crowd(options), channels_(options.channels), publisher_(company_, "", 0) {
    for (std::size_t i = 0; i < channels_.size(); ++i) {
      channels_[i].name = channel_name(options_, i);
      channels_[i].listeners = clients_of(i);
    }
  }

  Outcome run(Meter& meter) {
    open_all();
    publisher_.connect();
    wait("opening the publisher", [this] { return may_publish_; });
    for (std::size_t i = 0; i < options_.window; ++i) publish();
    pass(options_.warmup_seconds);
    counting_ = true;
    meter.start();
    outcome_.reads = network_.reads();
    pass(options_.duration_seconds);
    outcome_.reads = network_.reads() - outcome_.reads;
    meter.stop();
    counting_ = false;
    stopping_ = true;
    wait("what was under way", [this] { return in_flight_ == 0; });
    describe_tls(outcome_);
    return std::move(outcome_);
  }

 private:
  struct Flight {
    TimePoint sent;
    std::size_t missing;  // deliveries
  };
  struct Channel {
    std::string name;
    std::size_t listeners = 0;
    std::uint64_t first = 0;  // the number of the oldest in flight
    std::deque<Flight> flights;
  };

  void on_welcome(Client& client) override {
    if (&client != &publisher_) return Crowd::on_welcome(client);
    may_publish_ = true;
  }

  void publish() {
    Channel& channel = channels_[turn_++ % channels_.size()];
    const std::uint64_t number = channel.first + channel.flights.size();
    channel.flights.push_back({Clock::now(), channel.listeners});
    ++in_flight_;
    publisher_.publish(channel.name, payloads_.numbered(number));
  }

  // The client has checked that it is its next one.
  void on_publication(Client& client, std::uint64_t number) override {
    Channel& channel = channels_[client.channel_number()];
    const std::uint64_t place = number - channel.first;
    if (number < channel.first || place >= channel.flights.size()) return on_trouble("what was never published came");
    Flight& flight = channel.flights[place];
    if (counting_) {
      outcome_.latency.record(Clock::now() - flight.sent);
      ++outcome_.count;
    }
    if (--flight.missing > 0) return;
    // Each client gets them in order, so the oldest has arrived everywhere before any other.
    channel.flights.pop_front();
    ++channel.first;
    --in_flight_;
    if (!stopping_) publish();
  }

  std::vector<Channel> channels_;
  Client publisher_;
  Outcome outcome_;
  std::size_t turn_ = 0, in_flight_ = 0;
  bool may_publish_ = false, counting_ = false, stopping_ = false;
};

}  // namespace

Outcome run_fanout(const Options& options, Meter& meter) { return Fanout(options).run(meter); }

}  // namespace fairlead::bench

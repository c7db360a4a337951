// SPDX-License-Identifier: Apache-2.0
// All clients subscribe at once, and once all have been answered they unsubscribe at once; again and again.
#include <utility>
#include <vector>

#include "crowd.h"

namespace fairlead::bench {

namespace {

class SubscribeStorm final : public Crowd {
 public:
  using Crowd::Crowd;

  Outcome run(Meter& meter) {
    open_all();
    const auto length =
        std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options_.warmup_seconds));
    for (const TimePoint end = Clock::now() + length; Clock::now() < end;) wave();
    counting_ = true;
    meter.start();
    const auto measured =
        std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options_.duration_seconds));
    for (const TimePoint end = Clock::now() + measured; Clock::now() < end;) wave();
    meter.stop();
    describe_tls(outcome_);
    return std::move(outcome_);
  }

 private:
  void on_welcome(Client&) override { is_ready(); }

  void wave() {
    answered_ = 0;
    began_ = Clock::now();
    for (const auto& client : clients()) client->subscribe();
    wait("subscribing", [this] { return answered_ == clients().size(); });
    answered_ = 0;
    for (const auto& client : clients()) client->unsubscribe();
    wait("unsubscribing", [this] { return answered_ == clients().size(); });
  }

  void on_subscribed(Client&) override {
    ++answered_;
    if (!counting_) return;
    ++outcome_.count;
    outcome_.latency.record(Clock::now() - began_);
  }
  void on_unsubscribed(Client&) override { ++answered_; }

  Outcome outcome_;
  TimePoint began_;
  std::size_t answered_ = 0;
  bool counting_ = false;
};

}  // namespace

Outcome run_subscribe_storm(const Options& options, Meter& meter) { return SubscribeStorm(options).run(meter); }

}  // namespace fairlead::bench

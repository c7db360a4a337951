// SPDX-License-Identifier: Apache-2.0
#include "bystander.h"

#include <exception>
#include <utility>
#include <vector>

namespace fairlead::bench {

namespace {

constexpr std::chrono::milliseconds interval{5};

Options alone(Options options) {
  options.clients = options.channels = 1;
  options.channel = "bystander";
  options.full_handshakes = true;
  options.sources = {"127.0.0.1"};
  return options;
}

}  // namespace

class Bystander::Work final : public Crowd {
 public:
  explicit Work(const Options& options) : Crowd(alone(options)) { clients().front()->want_arrival_times(); }

  void open() { open_all(); }

  void run() noexcept {
    try {
      for (TimePoint due = Clock::now(); !stopping_; due += interval) {
        publish();
        loop_.run_until(due + interval, [] { return false; });
        wait("nothing", [] { return true; });
      }
    } catch (const std::exception& error) {
      failure_ = error.what();
    }
  }

  void stop() noexcept { stopping_ = true; }

  cli::Histogram latencies() {
    if (!failure_.empty()) throw Trouble("the bystander: " + failure_);
    for (std::size_t i = clients().front()->next(); i < sent_.size(); ++i) {
      latency_.record(WallClock::now() - sent_[i]);
    }
    return std::move(latency_);
  }

 private:
  void publish() {
    Client& client = *clients().front();
    sent_.push_back(WallClock::now());
    client.publish(client.channel(), payloads_.numbered(sent_.size() - 1));
  }

  void on_publication(Client& client, std::uint64_t number) override {
    latency_.record(client.arrived() - sent_.at(number));
  }

  std::atomic<bool> stopping_{false};
  std::vector<WallClock::time_point> sent_;
  cli::Histogram latency_;
  std::string failure_;
};

Bystander::Bystander(const Options& options) : work_(std::make_unique<Work>(options)) {
  work_->open();
  thread_ = std::thread([this] { work_->run(); });
}

Bystander::~Bystander() {
  work_->stop();
  if (thread_.joinable()) thread_.join();
}

cli::Histogram Bystander::stop() {
  work_->stop();
  thread_.join();
  return work_->latencies();
}

}  // namespace fairlead::bench

// SPDX-License-Identifier: Apache-2.0
// Backends publish by HTTP, each on a connection and to a channel of its own: one request at a time, with one
// publication or a batch of them.
#include <memory>
#include <utility>
#include <vector>

#include "crowd.h"
#include "publisher.h"

namespace fairlead::bench {

namespace {

class Api final : public Crowd {
 public:
  explicit Api(const Options& options) : Crowd(options), backends_(options.channels) {
    for (std::size_t i = 0; i < backends_.size(); ++i) {
      Backend& backend = backends_[i];
      backend.channel = channel_name(options_, i);
      backend.publisher = std::make_unique<ApiPublisher>(
          network_, options_.speech, options_.api_key,
          ApiPublisher::Events{.ready = [this, &backend](ApiPublisher&) { answered(backend); },
                               .trouble = [this](const std::string& what) { on_trouble(what); }});
    }
  }

  Outcome run(Meter& meter) {
    open_all();
    for (Backend& backend : backends_) backend.publisher->connect();
    pass(options_.warmup_seconds);
    counting_ = true;
    meter.start();
    pass(options_.duration_seconds);
    meter.stop();
    counting_ = false;
    stopping_ = true;
    wait("what was under way", [this] { return all_arrived(); });
    describe_tls(outcome_);
    return std::move(outcome_);
  }

 private:
  struct Backend {
    std::string channel;
    std::unique_ptr<ApiPublisher> publisher;
    std::uint64_t published = 0;  // the number of the next
    std::size_t waiting = 0;      // publications of the request that is not answered yet
    TimePoint sent;
  };

  void answered(Backend& backend) {
    const TimePoint now = Clock::now();
    if (counting_ && backend.waiting > 0) {
      outcome_.count += backend.waiting;
      outcome_.latency.record(now - backend.sent);
    }
    backend.waiting = 0;
    if (stopping_) return;
    backend.publisher->begin(options_.batch > 1);
    for (std::size_t i = 0; i < options_.batch; ++i) {
      backend.publisher->add(backend.channel, payloads_.numbered(backend.published++));
    }
    backend.waiting = options_.batch;
    backend.sent = now;
    backend.publisher->send();
  }

  [[nodiscard]] bool all_arrived() const {
    for (const Backend& backend : backends_) {
      if (backend.waiting > 0) return false;
    }
    for (const auto& client : clients()) {
      if (client->next() != backends_[client->channel_number()].published) return false;
    }
    return true;
  }

  std::vector<Backend> backends_;
  Outcome outcome_;
  bool counting_ = false, stopping_ = false;
};

}  // namespace

Outcome run_api(const Options& options, Meter& meter) { return Api(options).run(meter); }

}  // namespace fairlead::bench

// SPDX-License-Identifier: Apache-2.0
// The four kinds of load. Each is what a connection does with an answer, and what sets it going.
#include <algorithm>

#include "bench_load.h"

namespace fairlead::cli {

namespace {

using namespace std::chrono_literals;

// ── Echo, as fast as the answers come ───────────────────────────────────────────────────────────────────────────────
class EchoLoad final : public SteadyLoad {
 public:
  using SteadyLoad::SteadyLoad;

 private:
  Task<> drive() override {
    for (const auto& link : links()) {
      for (std::size_t i = 0; i < bench_.options.window() && link->ws != nullptr; ++i) send(*link, Clock::now());
    }
    co_return;
  }

  void on_message(Link& link, MessageView message) override {
    if (link.in_flight.empty()) return;  // the server speaks unasked
    check_answer(link, message);
    const TimePoint now = Clock::now();
    completed(link.in_flight.pop(), now, message.payload.size());
    if (!done()) send(link, now);
  }
};

// ── Echo at a given rate ────────────────────────────────────────────────────────────────────────────────────────────
class PacedLoad final : public SteadyLoad {
 public:
  using SteadyLoad::SteadyLoad;

 private:
  static constexpr Duration blocked_pause = 100us;

  Task<> drive() override {
    Schedule schedule(Clock::now(), bench_.options.rate / bench_.options.threads);
    while (!done()) {
      const bool blocked = send_due(schedule);
      const Duration until_next = schedule.next() - Clock::now();
      const Duration pause = blocked ? blocked_pause : std::max<Duration>(until_next, 0ns);
      (void)co_await sleep_for(bench_.options.busy_wait ? 0ns : pause);
    }
    count_what_never_came(schedule, Clock::now());
  }

  // True when messages are due but every connection has its window full.
  bool send_due(Schedule& schedule) {
    TimePoint now = Clock::now();
    while (schedule.is_due(now)) {
      Link* link = next_free();
      if (link == nullptr) return true;
      if (measuring()) tally_.lag.record(now - schedule.next());
      send(*link, schedule.next());
      schedule.sent();
      now = Clock::now();
    }
    return false;
  }

  Link* next_free() {
    for (std::size_t tried = 0; tried < links().size(); ++tried) {
      Link& link = *links()[turn_++ % links().size()];
      if (link.ws != nullptr && !link.in_flight.full()) return &link;
    }
    return nullptr;
  }

  void on_message(Link& link, MessageView message) override {
    if (link.in_flight.empty()) return;
    check_answer(link, message);
    completed(link.in_flight.pop(), Clock::now(), message.payload.size());
  }

  // A message that is still due or still unanswered at the end has waited at least until now: leaving it out would hide
  // exactly the stall that the schedule is there to show.
  void count_what_never_came(const Schedule& schedule, TimePoint now) {
    tally_.unsent = schedule.overdue(now);
    for (std::uint64_t i = 0; i < tally_.unsent; ++i) tally_.latency.record(now - schedule.overdue_at(i));
    for (const auto& link : links()) {
      while (!link->in_flight.empty()) tally_.latency.record(now - link->in_flight.pop());
    }
  }

  std::size_t turn_ = 0;
};

// ── Fan-out: everybody, the publisher too, receives everything ──────────────────────────────────────────────────────
class FanoutLoad final : public SteadyLoad {
 public:
  using SteadyLoad::SteadyLoad;

 private:
  Task<> drive() override {
    published_.resize(bench_.options.window());
    received_.resize(links().size());
    for (std::size_t i = 0; i < published_.size(); ++i) publish();
    co_return;
  }

  void on_message(Link& link, MessageView message) override {
    if (published_.empty()) return;
    check_answer(link, message);
    const std::uint64_t number = received_[link.index]++;
    completed(published_[number % published_.size()], Clock::now(), message.payload.size());
    // The next one goes out when the oldest in flight has reached everybody.
    if (++deliveries_ % open() == 0 && !done()) publish();
  }

  void publish() {
    Link& publisher = *links().front();
    if (publisher.ws == nullptr) return;
    published_[sent_++ % published_.size()] = Clock::now();
    send(publisher, Clock::now());
    if (!publisher.in_flight.empty()) publisher.in_flight.pop();  // counted here for all, not for each connection
  }

  std::vector<TimePoint> published_;     // when the messages in flight were sent, by number modulo their count
  std::vector<std::uint64_t> received_;  // how many each connection has got
  std::uint64_t sent_ = 0;
  std::uint64_t deliveries_ = 0;
};

// ── Idle: one message each, so that whatever a server allocates lazily is there, then silence ───────────────────────
class IdleLoad final : public SteadyLoad {
 public:
  using SteadyLoad::SteadyLoad;

 private:
  static constexpr std::size_t greeted_at_once = 64;

  Task<> drive() override {
    if (bench_.options.size_bytes == 0) co_return;
    for (const auto& link : links()) {
      if (link->ws == nullptr) continue;
      send(*link, Clock::now());
      if (++greeted_ % greeted_at_once == 0) (void)co_await sleep_for(1ms);
    }
  }

  void on_message(Link& link, MessageView message) override {
    if (link.in_flight.empty()) return;
    check_answer(link, message);
    link.in_flight.pop();
  }

  std::size_t greeted_ = 0;
};

// ── Handshakes: connect, open, close, again ─────────────────────────────────────────────────────────────────────────
class HandshakeLoad final : public Load {
 public:
  using Load::Load;

  Task<> run() override {
    co_await meet();
    for (std::size_t i = 0; i < share(); ++i) attempt(first() + i);
    co_await wait_for_end();
    const TimePoint give_up = Clock::now() + closing_time;
    while (running_ > 0 && Clock::now() < give_up) (void)co_await sleep_for(1ms);
  }

 private:
  static constexpr Duration closing_time = 3s;
  static constexpr std::uint64_t failures_in_a_row = 100;  // then this slot gives up: nobody is there

  void attempt(std::size_t number) {
    if (done() || failures_ >= failures_in_a_row) return;
    ++running_;
    const TimePoint began = Clock::now();
    Handlers handlers;
    handlers.open = [this, began](Connection& ws) { opened(ws, began); };
    handlers.close = [this, number](Connection&, const CloseInfo&) { ended(number); };
    connect(bench_.options.url, std::move(handlers), client_options(bench_.options, number),
            [this, number](const ConnectError& error) {
              ++failures_;
              connection_failed(error);
              ended(number);
            });
  }

  void opened(Connection& ws, TimePoint began) {
    failures_ = 0;
    if (measuring()) connection_opened(ws);
    completed(began, Clock::now(), 0);
    (void)ws.close();
  }

  void ended(std::size_t number) {
    --running_;
    attempt(number + bench_.options.connections);  // the next source address, too
  }

  std::size_t running_ = 0;
  std::uint64_t failures_ = 0;
};

}  // namespace

std::unique_ptr<Load> make_load(Bench& bench, unsigned thread) {
  switch (bench.options.mode) {
    case BenchMode::handshake:
    case BenchMode::resume:
      return std::make_unique<HandshakeLoad>(bench, thread);
    case BenchMode::idle:
      return std::make_unique<IdleLoad>(bench, thread);
    case BenchMode::fanout:
      return std::make_unique<FanoutLoad>(bench, thread);
    case BenchMode::echo:
      break;
  }
  if (bench.options.open_loop()) return std::make_unique<PacedLoad>(bench, thread);
  return std::make_unique<EchoLoad>(bench, thread);
}

}  // namespace fairlead::cli

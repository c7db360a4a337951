// SPDX-License-Identifier: Apache-2.0
#include "bench_load.h"

#include <algorithm>

namespace fairlead::cli {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t opening_at_once = 32;             // per thread; more only overflows the listener's backlog
constexpr Duration opening_time = 60s;                  // for all connections together
constexpr std::uint64_t failures_without_success = 32;  // nobody is there: give up
constexpr Duration glance = 1ms;                        // how often a waiting thread looks at the stage
constexpr Duration closing_time = 3s;
constexpr std::size_t closing_at_once = 256;

}  // namespace

Bench::Bench(BenchOptions wanted)
    : options(std::move(wanted)), payload(bench_payload(options.kind, options.size_bytes)) {}

void Tally::merge(const Tally& other) {
  latency.merge(other.latency);
  lag.merge(other.lag);
  count += other.count;
  bytes += other.bytes;
  unsent += other.unsent;
  opened += other.opened;
  resumed += other.resumed;
  failed += other.failed;
  lost += other.lost;
  wrong += other.wrong;
  if (!first_failure) first_failure = other.first_failure;
  if (first_loss.empty()) first_loss = other.first_loss;
  if (tls.version.empty()) tls = other.tls;
}

Load::Load(Bench& bench, unsigned thread) : bench_(bench), thread_(thread) {}

std::size_t Load::first() const noexcept { return bench_.options.connections * thread_ / bench_.options.threads; }

std::size_t Load::share() const noexcept {
  return bench_.options.connections * (thread_ + 1) / bench_.options.threads - first();
}

Task<> Load::meet() {
  bench_.ready.fetch_add(1);
  while (bench_.now() == Stage::connecting) (void)co_await sleep_for(glance);
}

Task<> Load::wait_for_end() {
  while (!done()) (void)co_await sleep_for(glance);
}

void Load::completed(TimePoint due, TimePoint now, std::size_t bytes) noexcept {
  if (!measuring()) return;
  tally_.latency.record(now - due);
  tally_.bytes += bytes;
  ++tally_.count;
  bench_.count.fetch_add(1, std::memory_order_relaxed);
}

void Load::connection_failed(const ConnectError& error) {
  ++tally_.failed;
  if (!tally_.first_failure) tally_.first_failure = error;
}

void Load::connection_lost(const CloseInfo& close) {
  ++tally_.lost;
  if (tally_.first_loss.empty()) tally_.first_loss = std::to_string(close.code) + " " + close.reason;
}

void Load::connection_opened(const Connection& ws) {
  ++tally_.opened;
  const TlsInfo tls = ws.tls();
  if (tls.resumed) ++tally_.resumed;
  if (tally_.tls.version.empty()) tally_.tls = tls;
}

Task<> SteadyLoad::run() {
  co_await open_all();
  co_await meet();
  if (!done()) co_await drive();
  co_await wait_for_end();
  co_await close_all();
}

Task<> SteadyLoad::open_all() {
  const TimePoint give_up = Clock::now() + opening_time;
  for (std::size_t i = 0; i < share(); ++i) {
    while (pending_ >= opening_at_once && Clock::now() < give_up) (void)co_await sleep_for(glance);
    if (done() || Clock::now() >= give_up) break;
    if (open_ == 0 && tally_.failed >= failures_without_success) break;
    open_one(i);
  }
  while (pending_ > 0 && !done() && Clock::now() < give_up) (void)co_await sleep_for(glance);
}

void SteadyLoad::open_one(std::size_t index) {
  links_.push_back(std::make_unique<Link>(*this, index, bench_.options.window()));
  Link* link = links_.back().get();
  ++pending_;
  Handlers handlers;
  handlers.open = [link](Connection& ws) { link->load->on_open(*link, ws); };
  handlers.message = [link](Connection&, MessageView message) { link->load->on_message(*link, message); };
  handlers.close = [link](Connection&, const CloseInfo& close) { link->load->on_close(*link, close); };
  connect(bench_.options.url, std::move(handlers), client_options(bench_.options, first() + index),
          [this](const ConnectError& error) {
            --pending_;
            connection_failed(error);
          });
}

void SteadyLoad::on_open(Link& link, Connection& ws) {
  link.ws = &ws;
  --pending_;
  ++open_;
  bench_.connected.fetch_add(1, std::memory_order_relaxed);
  connection_opened(ws);
}

void SteadyLoad::on_close(Link& link, const CloseInfo& close) {
  link.ws = nullptr;
  --open_;
  bench_.connected.fetch_sub(1, std::memory_order_relaxed);
  if (!done()) connection_lost(close);
}

void SteadyLoad::send(Link& link, TimePoint due) {
  const SendResult result = bench_.options.kind == MessageKind::text ? link.ws->send(std::string_view(bench_.payload))
                                                                     : link.ws->send(as_bytes(bench_.payload));
  if (result == SendResult::sent || result == SendResult::queued) link.in_flight.push(due);
}

void SteadyLoad::check_answer(Link& link, MessageView message) {
  const bool same_size = message.kind == bench_.options.kind && message.payload.size() == bench_.payload.size();
  const bool same = same_size && (link.checked || message.text() == bench_.payload);
  if (!same) ++tally_.wrong;
  link.checked = true;
}

Task<> SteadyLoad::close_all() {
  std::size_t closing = 0;
  for (const auto& link : links_) {
    if (link->ws == nullptr) continue;
    (void)link->ws->close();
    if (++closing % closing_at_once == 0) (void)co_await sleep_for(glance);
  }
  const TimePoint give_up = Clock::now() + closing_time;
  while (open_ > 0 && Clock::now() < give_up) (void)co_await sleep_for(glance);
}

}  // namespace fairlead::cli

// SPDX-License-Identifier: Apache-2.0
#include "app/event_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

namespace fairlead::server {
namespace {

constexpr std::size_t batch_events = 1'000;
constexpr std::chrono::milliseconds first_pause{100}, longest_pause{5'000};
constexpr std::chrono::milliseconds last_pause{50};  // at the end nobody else calls
constexpr std::chrono::milliseconds shortest_pause{1};
constexpr unsigned doublings_most = 10;

std::int64_t now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

EventStream::EventStream(EventLog& log, const EventDeliverySettings& settings, EventStreamEnvironment environment)
    : log_(log), environment_(std::move(environment)), enabled_(settings.enabled), kinds_(settings.kinds) {}

void EventStream::reconfigure(const EventDeliverySettings& settings) {
  const std::scoped_lock lock(mutex_);
  kinds_ = settings.kinds;
}

bool EventStream::wanted(const std::string& kind) const {
  return kinds_.empty() || is_about_the_stream(kind) || std::ranges::find(kinds_, kind) != kinds_.end();
}

void EventStream::begin(const std::string& node_name) {
  LifecycleEvent event;
  event.time_ms = now_ms();
  event.kind = node_started;
  event.reason = node_name;
  append(std::move(event), {});
}

void EventStream::append_all(std::vector<LifecycleEvent> events, Done<std::uint64_t> done) {
  if (!enabled_) return done ? done(std::uint64_t{0}) : void();
  bool kept = false;
  {
    Lock lock(mutex_);
    std::erase_if(events, [this](const LifecycleEvent& event) { return !wanted(event.kind); });
    kept = !events.empty() && waiting_.size() + events.size() <= environment_.waiting_limit;
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (!kept) {
        note_loss(events[i].time_ms);
      } else {
        waiting_.push_back({std::move(events[i]), i + 1 == events.size() ? done : nullptr});
      }
    }
    pump(lock);
  }
  if (kept || !done) return;
  if (events.empty()) return done(std::uint64_t{0});
  done(std::unexpected(Fault{FaultKind::full, "too many lifecycle events wait for the engine"}));
}

// What is lost until there is room again is one hole in the stream.
void EventStream::note_loss(std::int64_t time_ms) {
  ++lost_;
  if (lost_in_a_row_++ == 0) {
    say(LogLevel::error, fmt::format("lifecycle events are lost: the engine takes too few and {} wait already",
                                     environment_.waiting_limit));
  }
  const bool goes_on = waiting_.size() > sent_ && waiting_.back().event.kind == events_lost;
  if (!goes_on) {
    LifecycleEvent event;
    event.time_ms = time_ms;
    event.kind = events_lost;
    waiting_.push_back({std::move(event), nullptr});
  }
  LifecycleEvent& hole = waiting_.back().event;
  if (hole.code < std::numeric_limits<std::uint32_t>::max()) ++hole.code;
  hole.reason = fmt::format("{} events are missing here", hole.code);
}

// One batch at a time, so that the order stays whatever fails. The log may answer within the call: then this loop goes
// on instead of the answer.
void EventStream::pump(Lock& lock) {
  if (std::exchange(pumping_, true)) return;
  while (sent_ == 0 && !waiting_.empty() && !pausing_ && !handed_over_) send(lock);
  pumping_ = false;
}

void EventStream::send(Lock& lock) {
  sent_ = std::min(waiting_.size(), batch_events);
  std::vector<LifecycleEvent> batch;
  batch.reserve(sent_);
  for (std::size_t i = 0; i < sent_; ++i) batch.push_back(waiting_[i].event);
  lock.unlock();
  log_.append_all(std::move(batch), [this](const Outcome<std::uint64_t>& outcome) { stored(outcome); });
  lock.lock();
}

void EventStream::stored(const Outcome<std::uint64_t>& outcome) {
  std::vector<std::pair<Done<std::uint64_t>, std::uint64_t>> answers;
  Lock lock(mutex_);
  const std::size_t count = std::exchange(sent_, 0);
  if (!outcome) {
    retry_later(lock);
    return;
  }
  failures_in_a_row_ = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Waiting& one = waiting_.front();
    if (one.done) answers.emplace_back(std::move(one.done), *outcome - (count - 1 - i));
    waiting_.pop_front();
  }
  if (waiting_.empty() && lost_in_a_row_ > 0) {
    say(LogLevel::warning,
        fmt::format(
            "the engine takes lifecycle events again: {} were lost, which the stream says where they are missing",
            std::exchange(lost_in_a_row_, 0)));
  }
  lock.unlock();
  if (appended_) appended_();
  for (auto& [done, sequence] : answers) done(sequence);
  lock.lock();
  pump(lock);
  changed_.notify_all();
}

void EventStream::retry_later(Lock& lock) {
  const auto pause = std::min(longest_pause, first_pause * (1U << std::min(failures_in_a_row_++, doublings_most)));
  pausing_ = true;
  if (finishing_ || !environment_.after) return;
  lock.unlock();
  environment_.after(pause, [this] {
    Lock again(mutex_);
    pausing_ = false;
    pump(again);
  });
  lock.lock();
}

void EventStream::finish(std::chrono::milliseconds within) {
  const auto until = std::chrono::steady_clock::now() + within;
  Lock lock(mutex_);
  finishing_ = true;
  while (!waiting_.empty() && std::chrono::steady_clock::now() < until) {
    pausing_ = false;
    pump(lock);
    if (!waiting_.empty()) changed_.wait_for(lock, last_pause);
  }
  hand_over(lock);
}

// Behind what is on its way; no batch waits for the one before.
void EventStream::hand_over(Lock& lock) {
  handed_over_ = true;
  while (pumping_) changed_.wait_for(lock, shortest_pause);  // another thread is about to send
  while (waiting_.size() > sent_) {
    const auto first = waiting_.begin() + static_cast<std::ptrdiff_t>(sent_);
    const auto last = first + static_cast<std::ptrdiff_t>(std::min(waiting_.size() - sent_, batch_events));
    std::vector<LifecycleEvent> batch;
    std::vector<Done<std::uint64_t>> asked;
    for (auto one = first; one != last; ++one) {
      batch.push_back(std::move(one->event));
      asked.push_back(std::move(one->done));
    }
    waiting_.erase(first, last);
    unanswered_ += batch.size();
    lock.unlock();
    log_.append_all(std::move(batch), [this, asked = std::move(asked)](const Outcome<std::uint64_t>& outcome) {
      stored_at_the_end(asked, outcome);
    });
    lock.lock();
  }
}

void EventStream::stored_at_the_end(const std::vector<Done<std::uint64_t>>& asked,
                                    const Outcome<std::uint64_t>& outcome) {
  if (!outcome) return;  // nobody asks any more who could do something about it
  {
    const std::scoped_lock lock(mutex_);
    unanswered_ -= asked.size();
  }
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (asked[i]) asked[i](*outcome - (asked.size() - 1 - i));
  }
}

void EventStream::ended() {
  const std::scoped_lock lock(mutex_);
  const std::size_t unstored = std::exchange(unanswered_, 0) + waiting_.size();
  waiting_.clear();
  if (unstored == 0) return;
  lost_ += unstored;
  say(LogLevel::error, fmt::format("{} lifecycle events could not be stored before the end: they are lost", unstored));
}

std::vector<MetricFamily> EventStream::metrics() const {
  if (!enabled_) return {};
  const std::scoped_lock lock(mutex_);
  return {gauge("fairlead_events_unstored", "Lifecycle events that wait for the engine.",
                static_cast<double>(waiting_.size() + unanswered_)),
          counter("fairlead_events_unstorable_total",
                  "Lifecycle events that the engine did not take: an event events_lost stands where they are missing.",
                  static_cast<double>(lost_))};
}

void EventStream::say(LogLevel level, const std::string& line) const {
  if (environment_.log) environment_.log(level, line);
}

}  // namespace fairlead::server

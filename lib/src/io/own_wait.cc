// SPDX-License-Identifier: Apache-2.0
#include "io/own_wait.h"

#include "io/loop.h"
#include "io/outbox.h"

#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

namespace fairlead::io {
namespace {

constexpr int for_ever = -1;

int opened(int descriptor, const char* what) {
  if (descriptor < 0) throw std::system_error(errno, std::system_category(), what);
  return descriptor;
}

// Never zero, which would mean no time at all.
timespec timespec_of(TimePoint at) noexcept {
  const auto since = std::max(at.time_since_epoch(), Duration(1));
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(since - seconds);
  return {.tv_sec = static_cast<time_t>(seconds.count()), .tv_nsec = static_cast<long>(rest.count())};
}

}  // namespace

OwnWait::Watched::Watched(Loop& loop, int descriptor, void (Loop::*then)())
    : loop_(loop), socket_(loop, descriptor), then_(then) {
  if (!socket_.is_watched()) throw std::system_error(ENOSPC, std::system_category(), "epoll_ctl");
  socket_.set_events(this);
  socket_.wait_readable();
}

void OwnWait::Watched::on_readable() {
  socket_.note_drained();
  socket_.wait_readable();
  if (then_ != nullptr) (loop_.*then_)();
}

// steady_clock is CLOCK_MONOTONIC.
OwnWait::OwnWait(Loop& loop)
    : loop_(loop),
      timer_(loop, opened(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create"),
             &Loop::fire_timers),
      bell_(loop, opened(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd"), nullptr) {}

void OwnWait::run() {
  const Loop::Entered entered(loop_);
  while (!stopped_.load()) turn();  // not once when `stop` came first: another thread may be that quick
}

void OwnWait::turn() {
  const std::size_t told = loop_.tell(may_sleep() ? for_ever : 0);
  asleep_.store(false, std::memory_order_relaxed);
  run_posted();
  if (!stopped_.load(std::memory_order_relaxed)) loop_.end_turn(told);
}

// Whoever posts sets `posted_` and then looks at `asleep_`; here it is the other way round, so one sees the other.
bool OwnWait::may_sleep() noexcept {
  if (loop_.has_more_to_do()) return false;
  asleep_.store(true);
  return !posted_.load() && !stopped_.load();
}

void OwnWait::run_posted() {
  if (!posted_.load(std::memory_order_relaxed)) return;
  {
    const std::scoped_lock lock(mutex_);
    posted_.store(false);
    running_.swap(inbox_);
  }
  for (std::function<void()>& work : running_) {
    if (stopped_.load(std::memory_order_relaxed)) return;
    std::exchange(work, nullptr)();
    loop_.outbox().flush_if_due();
  }
  running_.clear();
}

void OwnWait::stop() noexcept {
  stopped_.store(true);
  ring();
}

void OwnWait::post(std::function<void()> work) {
  {
    const std::scoped_lock lock(mutex_);
    inbox_.push_back(std::move(work));
    posted_.store(true);
  }
  ring();
}

void OwnWait::drop_posted() {
  while (!running_.empty() || posted_.exchange(false)) {
    running_.clear();
    const std::scoped_lock lock(mutex_);
    running_.swap(inbox_);
  }
}

void OwnWait::ring() noexcept {
  if (!asleep_.exchange(false)) return;
  ::eventfd_write(bell_.descriptor(), 1);
}

void OwnWait::wake_at(TimePoint at) noexcept {
  itimerspec when{};
  when.it_value = timespec_of(at);
  ::timerfd_settime(timer_.descriptor(), TFD_TIMER_ABSTIME, &when, nullptr);
}

}  // namespace fairlead::io

// SPDX-License-Identifier: Apache-2.0
#include "io/loop.h"

#include "base/assert.h"
#include "io/poller.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <optional>
#include <utility>

namespace fairlead::io {
namespace {
thread_local Loop* current_loop = nullptr;
}  // namespace

// Shared with the handlers that Asio holds, so that one that is called after the loop has gone finds `loop` empty.
struct Loop::Waiting {
  explicit Waiting(Loop* owner)
      : loop(owner), own(std::make_unique<boost::asio::io_context>(1)), context(*own), timer(std::in_place, context) {}
  Waiting(Loop* owner, boost::asio::io_context& theirs) : loop(owner), context(theirs), timer(std::in_place, context) {}

  Loop* loop;
  std::unique_ptr<boost::asio::io_context> own;
  boost::asio::io_context& context;
  std::optional<boost::asio::steady_timer> timer;
  std::optional<TimePoint> timer_at;
};

Deferred::~Deferred() {
  if (loop_ == nullptr) return;
  (previous_ != nullptr ? previous_->next_ : loop_->first_deferred_) = next_;
  (next_ != nullptr ? next_->previous_ : loop_->last_deferred_) = previous_;
}

Loop::Loop() : waiting_(std::make_shared<Waiting>(this)), poller_(std::make_unique<Poller>(*this, waiting_->context)) {}
Loop::Loop(boost::asio::io_context& context)
    : waiting_(std::make_shared<Waiting>(this, context)), poller_(std::make_unique<Poller>(*this, context)) {
  // A timer that nobody waits for must not keep the caller's context running.
  timers_.on_none_left = [this] {
    if (waiting_->timer_at) waiting_->timer->cancel();
    waiting_->timer_at.reset();
  };
}

Loop::~Loop() {
  timers_.on_none_left = nullptr;
  waiting_->loop = nullptr;
  waiting_->timer.reset();
  poller_.reset();
  while (first_deferred_ != nullptr) {
    first_deferred_->loop_ = nullptr;
    first_deferred_ = first_deferred_->next_;
  }
  // What is still queued holds on to `waiting_`: destroying the context breaks that circle.
  waiting_->own.reset();
}

void Loop::run() {
  FAIRLEAD_ASSERT(waiting_->own != nullptr);
  const auto work = boost::asio::make_work_guard(waiting_->context);
  waiting_->context.run();  // returns at once when `stop` came first: another thread may be that quick
}

void Loop::stop() { waiting_->context.stop(); }

void Loop::post(std::function<void()> work) {
  boost::asio::post(waiting_->context, [waiting = waiting_, work = std::move(work)] {
    if (waiting->loop == nullptr) return;
    const Entered entered(*waiting->loop);
    work();
  });
}

void Loop::defer(Deferred& deferred) {
  if (deferred.loop_ != nullptr) return;
  deferred.loop_ = this;
  deferred.next_ = nullptr;
  deferred.previous_ = last_deferred_;
  (last_deferred_ != nullptr ? last_deferred_->next_ : first_deferred_) = &deferred;
  last_deferred_ = &deferred;
  if (std::exchange(turn_end_posted_, true)) return;
  // Handlers that are ready now run first: posting puts the end of the turn behind them.
  boost::asio::post(waiting_->context, [waiting = waiting_] {
    if (waiting->loop == nullptr) return;
    const Entered entered(*waiting->loop);
    waiting->loop->end_turn();
  });
}

void Loop::end_turn() {
  turn_end_posted_ = false;
  Deferred* last = last_deferred_;
  while (first_deferred_ != nullptr) {
    Deferred* due = first_deferred_;
    first_deferred_ = due->next_;
    (first_deferred_ != nullptr ? first_deferred_->previous_ : last_deferred_) = nullptr;
    due->loop_ = nullptr;
    const bool was_last = due == last;
    due->on_turn_end();
    if (was_last) break;  // what was deferred meanwhile belongs to the next turn
  }
}

void Loop::set_timer(Timer& timer, TimePoint at) {
  timers_.set(timer, at);
  arm();
}

void Loop::arm() {
  const auto next = timers_.next();
  // A timer that fires too early only looks again, so it moves only when it would come too late.
  if (!next || (waiting_->timer_at && *waiting_->timer_at <= *next)) return;
  waiting_->timer_at = next;
  waiting_->timer->expires_at(*next);
  waiting_->timer->async_wait([waiting = waiting_](const boost::system::error_code& error) {
    if (error || waiting->loop == nullptr) return;
    const Entered entered(*waiting->loop);
    waiting->timer_at.reset();
    waiting->loop->timers_.fire(now());
    if (waiting->loop != nullptr) waiting->loop->arm();
  });
}

boost::asio::io_context& Loop::context() noexcept { return waiting_->context; }

Loop* Loop::current() noexcept { return current_loop; }

Loop::Entered::Entered(Loop& loop) noexcept : before_(std::exchange(current_loop, &loop)) {}
Loop::Entered::~Entered() { current_loop = before_; }

}  // namespace fairlead::io

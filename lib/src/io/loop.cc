// SPDX-License-Identifier: Apache-2.0
#include "io/loop.h"

#include "base/assert.h"
#include "base/prefetch.h"
#include "io/batch.h"
#include "io/guest_wait.h"
#include "io/outbox.h"
#include "io/own_wait.h"
#include "io/poller.h"
#include "io/watches.h"

#include <algorithm>
#include <utility>

namespace fairlead::io {
namespace {

thread_local Loop* current_loop = nullptr;

// So many ends of a turn, at least, are done before the loop looks at its sockets again. A message to thousands is
// thousands of sends: what comes meanwhile is not left to wait for all of them, and joins those that are still due.
constexpr std::size_t ends_at_once = 32;

}  // namespace

Deferred::~Deferred() { take_back(); }

void Deferred::take_back() noexcept {
  if (loop_ == nullptr) return;
  (previous_ != nullptr ? previous_->next_ : loop_->first_deferred_) = next_;
  (next_ != nullptr ? next_->previous_ : loop_->last_deferred_) = previous_;
  loop_ = nullptr;
}

Loop::Loop()
    : batch_(std::make_unique<Batch>()),
      outbox_(std::make_unique<Outbox>(*batch_)),
      poller_(std::make_unique<Poller>(*this)),
      watches_(std::make_unique<Watches>(*this)) {
  own_ = std::make_unique<OwnWait>(*this);  // it watches two descriptors: the rest has to be there
}

Loop::Loop(boost::asio::io_context& context)
    : batch_(std::make_unique<Batch>()),
      outbox_(std::make_unique<Outbox>(*batch_)),
      poller_(std::make_unique<Poller>(*this)),
      guest_(std::make_unique<GuestWait>(*this, context, poller_->set())),
      watches_(std::make_unique<Watches>(*this)) {
  // A timer that nobody waits for must not keep the caller's context running.
  timers_.on_none_left = [this] {
    if (wake_at_) guest_->forget_to_wake();
    wake_at_.reset();
  };
}

Loop::~Loop() {
  timers_.on_none_left = nullptr;
  if (own_ != nullptr) own_->drop_posted();
  watches_.reset();
  own_.reset();
  guest_.reset();
  poller_.reset();
  while (first_deferred_ != nullptr) first_deferred_->take_back();
}

void Loop::run() {
  FAIRLEAD_ASSERT(own_ != nullptr);
  own_->run();
}

void Loop::stop() { own_ != nullptr ? own_->stop() : guest_->stop(); }

void Loop::post(std::function<void()> work) {
  own_ != nullptr ? own_->post(std::move(work)) : guest_->post(std::move(work));
}

void Loop::defer(Deferred& deferred) {
  if (deferred.loop_ != nullptr) return;
  deferred.loop_ = this;
  deferred.next_ = nullptr;
  deferred.previous_ = last_deferred_;
  (last_deferred_ != nullptr ? last_deferred_->next_ : first_deferred_) = &deferred;
  last_deferred_ = &deferred;
  if (guest_ != nullptr) guest_->need_turn();
}

std::size_t Loop::tell(int timeout_ms) { return poller_->tell(timeout_ms); }

// As many ends as sockets were told, so that no more is begun than is ended.
void Loop::end_turn(std::size_t told) {
  // What is deferred behind it meanwhile belongs to the next turn, whoever before it is taken back.
  struct Mark final : Deferred {
    void on_turn_end() override {}
  } mark;
  defer(mark);
  const std::size_t most = std::max(told, ends_at_once);
  more_ends_ = 0;
  for (std::size_t done = 0; done + more_ends_ < most && first_deferred_ != &mark; ++done) {
    Deferred& due = *first_deferred_;
    due.take_back();
    if (first_deferred_ != nullptr) warm_next();
    due.on_turn_end();
    outbox_->flush_if_due();
  }
  outbox_->flush();
}

// A thing leads to its parts by pointers, so it is fetched in steps: its beginning, then what that points to, and so
// on.
void Loop::warm_next() const noexcept {
  const Deferred* const next = first_deferred_;
  const Deferred* const second = next->next_;
  next->warm(Deferred::Ahead::next);
  if (second == nullptr) return;
  second->warm(Deferred::Ahead::second);
  if (second->next_ != nullptr) prefetch(second->next_, 3 * cache_line_bytes);
}

bool Loop::has_more_to_do() const noexcept { return first_deferred_ != nullptr || poller_->has_to_tell(); }

void Loop::set_timer(Timer& timer, TimePoint at) {
  timers_.set(timer, at);
  arm();
}

void Loop::arm() {
  const auto next = timers_.next();
  // A timer that fires too early only looks again, so it moves only when it would come too late.
  if (!next || (wake_at_ && *wake_at_ <= *next)) return;
  wake_at_ = next;
  own_ != nullptr ? own_->wake_at(*next) : guest_->wake_at(*next);
}

void Loop::fire_timers() {
  wake_at_.reset();
  timers_.fire(now(), [this] { outbox_->flush_if_due(); });
  arm();
}

boost::asio::io_context& Loop::context() noexcept {
  FAIRLEAD_ASSERT(guest_ != nullptr);
  return guest_->context();
}

Loop* Loop::current() noexcept { return current_loop; }

Loop::Entered::Entered(Loop& loop) noexcept : loop_(loop), before_(std::exchange(current_loop, &loop)) {
  if (before_ != &loop) loop.turn_time_ = {};
}
Loop::Entered::~Entered() {
  if (before_ != &loop_) loop_.outbox().flush();
  current_loop = before_;
}

}  // namespace fairlead::io

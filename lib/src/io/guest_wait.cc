// SPDX-License-Identifier: Apache-2.0
#include "io/guest_wait.h"

#include "io/loop.h"
#include "io/poller.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <optional>
#include <utility>

namespace fairlead::io {
namespace {

using Descriptor = boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

}  // namespace

// Shared with the handlers that Asio holds, so that one that is called after the loop has gone finds `loop` empty.
struct GuestWait::State {
  State(Loop& owner, boost::asio::io_context& theirs, int set)
      : loop(&owner), context(theirs), descriptor(theirs.get_executor(), set), timer(std::in_place, theirs) {}

  Loop* loop;
  boost::asio::io_context& context;
  Descriptor descriptor;  // the poller's set
  std::optional<boost::asio::steady_timer> timer;
  bool armed = false;   // Asio waits for the set
  bool posted = false;  // a turn comes anyway
  bool in_turn = false;
};

GuestWait::GuestWait(Loop& loop, boost::asio::io_context& context, int set)
    : state_(std::make_shared<State>(loop, context, set)) {}

GuestWait::~GuestWait() {
  state_->loop = nullptr;
  state_->descriptor.release();
  state_->timer.reset();
}

void GuestWait::stop() { state_->context.stop(); }

void GuestWait::post(std::function<void()> work) {
  boost::asio::post(state_->context, [state = state_, work = std::move(work)] {
    if (state->loop == nullptr) return;
    const Loop::Entered entered(*state->loop);
    work();
  });
}

void GuestWait::wake_at(TimePoint at) {
  state_->timer->expires_at(at);
  state_->timer->async_wait([state = state_](const boost::system::error_code& error) {
    if (error || state->loop == nullptr) return;
    const Loop::Entered entered(*state->loop);
    state->loop->fire_timers();
  });
}

void GuestWait::forget_to_wake() { state_->timer->cancel(); }

void GuestWait::need_turn() {
  if (state_->in_turn || std::exchange(state_->posted, true)) return;
  boost::asio::post(state_->context, [state = state_] {
    if (state->loop == nullptr) return;
    const Loop::Entered entered(*state->loop);
    state->posted = false;
    state->loop->guest_->turn();
  });
}

void GuestWait::turn() {
  state_->in_turn = true;
  state_->loop->end_turn(state_->loop->tell(0));
  state_->in_turn = false;
  if (state_->loop->has_more_to_do()) need_turn();
  arm();
  disarm_if_unused();
}

void GuestWait::arm() {
  if (state_->armed || state_->posted || state_->in_turn || state_->loop->poller().waits() == 0) return;
  state_->armed = true;
  state_->descriptor.async_wait(Descriptor::wait_read, [state = state_](const boost::system::error_code& error) {
    if (error || state->loop == nullptr) return;
    const Loop::Entered entered(*state->loop);
    state->armed = false;
    state->loop->guest_->turn();
  });
}

void GuestWait::disarm_if_unused() noexcept {
  if (!state_->armed || state_->in_turn || state_->loop->poller().waits() != 0) return;
  state_->armed = false;
  boost::system::error_code ignored;
  state_->descriptor.cancel(ignored);
}

boost::asio::io_context& GuestWait::context() noexcept { return state_->context; }

}  // namespace fairlead::io

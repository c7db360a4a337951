// SPDX-License-Identifier: Apache-2.0
#include "net/loop_handle.h"

#include "base/assert.h"
#include "base/finite.h"
#include "net/loop_context.h"

#include <memory>
#include <utility>

namespace fairlead {

namespace net {
namespace {

io::Directions directions_of(Interest interest) noexcept {
  return {.read = interest == Interest::readable || interest == Interest::both,
          .write = interest == Interest::writable || interest == Interest::both};
}

}  // namespace

Result<void> LoopLookout::begin(int descriptor, Interest interest) {
  return loop_.watches().add(*this, descriptor, directions_of(interest));
}

void LoopLookout::want(Interest interest) noexcept {
  if (active()) loop_.watches().change(*this, directions_of(interest));
}

void LoopLookout::end() noexcept {
  if (active()) loop_.watches().remove(*this);
}

void LoopLookout::on_ready(io::Directions ready) noexcept {
  const auto alive = shared_from_this();
  ready_({.readable = ready.read, .writable = ready.write});
}

}  // namespace net

LoopTimer::LoopTimer(std::shared_ptr<net::LoopAlarm> alarm) noexcept : alarm_(std::move(alarm)) {}
LoopTimer::~LoopTimer() = default;
void LoopTimer::cancel() noexcept { alarm_.reset(); }
bool LoopTimer::pending() const noexcept { return alarm_ != nullptr && alarm_->armed(); }

LoopWatch::LoopWatch(std::shared_ptr<net::LoopLookout> lookout) noexcept : lookout_(std::move(lookout)) {}
LoopWatch::~LoopWatch() { cancel(); }
LoopWatch& LoopWatch::operator=(LoopWatch&& other) noexcept {
  if (this != &other) cancel();
  lookout_ = std::move(other.lookout_);
  return *this;
}
void LoopWatch::set_interest(Interest interest) noexcept {
  if (lookout_ != nullptr) lookout_->want(interest);
}
void LoopWatch::cancel() noexcept {
  if (lookout_ != nullptr) std::exchange(lookout_, nullptr)->end();
}
bool LoopWatch::active() const noexcept { return lookout_ != nullptr && lookout_->active(); }

LoopHandle LoopHandle::current() noexcept {
  const net::LoopContext* const here = net::LoopContext::current();
  return here != nullptr ? net::LoopAlarm::handle_of(here->mailbox) : LoopHandle();
}

bool LoopHandle::post(std::function<void()> work) const {
  return mailbox_ != nullptr && mailbox_->post(std::move(work));
}

LoopTimer LoopHandle::call_after(Duration delay, std::function<void()> work) const {
  FAIRLEAD_ASSERT(mailbox_ != nullptr && work != nullptr);
  io::Loop* const loop = mailbox_->loop.load();
  if (loop == nullptr) return {};   // it is ending: no time will pass on it
  FAIRLEAD_ASSERT(on_this_loop());  // timers belong to one thread: post first
  auto alarm = std::make_shared<net::LoopAlarm>(std::move(work));
  loop->set_timer(*alarm, io::Loop::now() + finite(delay));
  return LoopTimer(std::move(alarm));
}

Result<LoopWatch> LoopHandle::watch(int descriptor, Interest interest, std::function<void(Readiness)> ready) const {
  FAIRLEAD_ASSERT(mailbox_ != nullptr && ready != nullptr);
  io::Loop* const loop = mailbox_->loop.load();
  if (loop == nullptr) return fail(Errc::closed, "the loop is ending");
  FAIRLEAD_ASSERT(on_this_loop());  // as timers: post first
  auto lookout = std::make_shared<net::LoopLookout>(*loop, std::move(ready));
  if (auto begun = lookout->begin(descriptor, interest); !begun) return std::unexpected(std::move(begun.error()));
  return LoopWatch(std::move(lookout));
}

bool LoopHandle::on_this_loop() const noexcept { return mailbox_ != nullptr && mailbox_->on_loop(); }

}  // namespace fairlead

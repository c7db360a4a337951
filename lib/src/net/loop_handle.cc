// SPDX-License-Identifier: Apache-2.0
#include "net/loop_handle.h"

#include "base/assert.h"
#include "base/finite.h"
#include "net/loop_context.h"

namespace fairlead {

LoopTimer::LoopTimer(std::shared_ptr<net::LoopAlarm> alarm) noexcept : alarm_(std::move(alarm)) {}
LoopTimer::~LoopTimer() = default;
void LoopTimer::cancel() noexcept { alarm_.reset(); }
bool LoopTimer::pending() const noexcept { return alarm_ != nullptr && alarm_->armed(); }

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

bool LoopHandle::on_this_loop() const noexcept { return mailbox_ != nullptr && mailbox_->on_loop(); }

}  // namespace fairlead

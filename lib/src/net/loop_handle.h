// SPDX-License-Identifier: Apache-2.0
// The body of LoopTimer, and how the driver makes handles of its own loops.
#pragma once

#include "io/timers.h"
#include "net/mailbox.h"

#include <fairlead/loop.h>

#include <functional>
#include <memory>
#include <utility>

namespace fairlead::net {

// Rings once. Its work is moved out before it runs, so the work may destroy it.
class LoopAlarm final : public io::Timer {
 public:
  explicit LoopAlarm(std::function<void()> work) : work_(std::move(work)) {}

  [[nodiscard]] static LoopHandle handle_of(std::shared_ptr<Mailbox> mailbox) noexcept {
    LoopHandle handle;
    handle.mailbox_ = std::move(mailbox);
    return handle;
  }

 private:
  void on_timer(TimePoint /*now*/) override { std::exchange(work_, nullptr)(); }
  std::function<void()> work_;
};

}  // namespace fairlead::net

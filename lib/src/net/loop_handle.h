// SPDX-License-Identifier: Apache-2.0
// The bodies of LoopTimer and LoopWatch, and how the driver makes handles of its own loops.
#pragma once

#include "io/timers.h"
#include "io/watches.h"
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

// Shared with its own call while that runs, which may destroy the LoopWatch.
class LoopLookout final : public io::Watch, public std::enable_shared_from_this<LoopLookout> {
 public:
  LoopLookout(io::Loop& loop, std::function<void(Readiness)> ready) : loop_(loop), ready_(std::move(ready)) {}

  [[nodiscard]] Result<void> begin(int descriptor, Interest interest);
  void want(Interest interest) noexcept;
  void end() noexcept;

 private:
  void on_ready(io::Directions ready) noexcept override;
  io::Loop& loop_;  // while it is active
  std::function<void(Readiness)> ready_;
};

}  // namespace fairlead::net

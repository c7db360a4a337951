// SPDX-License-Identifier: Apache-2.0
// Names a loop: the thread on which handlers and tasks run, for other threads and for later. The way to per-loop state
// without locks: keep it on its loop, and post to it from elsewhere.
//
//   const auto here = fairlead::LoopHandle::current();            // in a handler
//   work_pool.submit([here] { auto answer = compute(); here.post([answer] { deliver(answer); }); });
#pragma once

#include <fairlead/time.h>

#include <functional>
#include <memory>

namespace fairlead {

namespace net {
struct Mailbox;
class LoopAlarm;
}  // namespace net

// A call that is due later. Destroying or overwriting it cancels the call; it may be destroyed inside the call itself,
// and after its loop has ended. Belongs to the loop that it was made on.
class LoopTimer {
 public:
  LoopTimer() noexcept = default;
  explicit LoopTimer(std::shared_ptr<net::LoopAlarm> alarm) noexcept;
  LoopTimer(const LoopTimer&) = delete;
  LoopTimer& operator=(const LoopTimer&) = delete;
  LoopTimer(LoopTimer&& other) noexcept = default;
  LoopTimer& operator=(LoopTimer&& other) noexcept = default;
  ~LoopTimer();

  void cancel() noexcept;
  [[nodiscard]] bool pending() const noexcept;  // the call is still to come

 private:
  std::shared_ptr<net::LoopAlarm> alarm_;
};

// Small, copyable, comparable, never dangling. A handle that was made by default names no loop.
class LoopHandle {
 public:
  LoopHandle() noexcept = default;

  // The loop whose handler, task or posted work is running on this thread; no loop outside of one.
  [[nodiscard]] static LoopHandle current() noexcept;

  // Runs `work` on the loop, in the order of posting; it may use `spawn`, `sleep_for` and `call_after`. Thread-safe.
  // False: the loop has ended, `work` will not run. What is posted while the loop is ending may be dropped unrun. An
  // exception that leaves `work` ends the program.
  bool post(std::function<void()> work) const;  // NOLINT(modernize-use-nodiscard): often nothing can be done about it
  // Runs `work` after `delay`, unless the timer is cancelled or the loop ends before. Only on this loop; while its last
  // connections are being ended, the timer is one that never rings.
  [[nodiscard]] LoopTimer call_after(Duration delay, std::function<void()> work) const;
  [[nodiscard]] bool on_this_loop() const noexcept;

  [[nodiscard]] explicit operator bool() const noexcept { return mailbox_ != nullptr; }
  friend bool operator==(const LoopHandle&, const LoopHandle&) = default;

 private:
  friend class net::LoopAlarm;
  std::shared_ptr<net::Mailbox> mailbox_;
};

}  // namespace fairlead

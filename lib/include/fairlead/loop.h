// SPDX-License-Identifier: Apache-2.0
// Names a loop: the thread on which handlers and tasks run, for other threads and for later. The way to per-loop state
// without locks: keep it on its loop, and post to it from elsewhere.
//
//   const auto here = fairlead::LoopHandle::current();            // in a handler
//   work_pool.submit([here] { auto answer = compute(); here.post([answer] { deliver(answer); }); });
#pragma once

#include <fairlead/error.h>
#include <fairlead/time.h>

#include <cstdint>
#include <functional>
#include <memory>

namespace fairlead {

namespace net {
struct Mailbox;
class LoopAlarm;
class LoopLookout;
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

// What the owner of a descriptor waits for, and what has come.
enum class Interest : std::uint8_t { none, readable, writable, both };
struct Readiness {
  bool readable = false;
  bool writable = false;
};

// A descriptor that belongs to somebody else, such as a library with sockets of its own, and that a loop watches for
// them. The call comes in each turn of the loop in which the descriptor is ready for what is of interest, for as long
// as it is; what fails or has been hung up counts as ready for both, and reading or writing says why. With
// Interest::none nothing comes.
//
// Destroying or overwriting it ends the watch; it may be destroyed inside its own call and after its loop has ended.
// End it before the descriptor is closed: its number may be another one's at once. Belongs to the loop that it was made
// on, and keeps that from ending no more than a timer does.
class LoopWatch {
 public:
  LoopWatch() noexcept = default;
  explicit LoopWatch(std::shared_ptr<net::LoopLookout> lookout) noexcept;
  LoopWatch(const LoopWatch&) = delete;
  LoopWatch& operator=(const LoopWatch&) = delete;
  LoopWatch(LoopWatch&& other) noexcept = default;
  LoopWatch& operator=(LoopWatch&& other) noexcept;
  ~LoopWatch();

  void set_interest(Interest interest) noexcept;  // nothing once it has ended
  void cancel() noexcept;
  [[nodiscard]] bool active() const noexcept;  // neither cancelled nor made silent by the end of its loop

 private:
  std::shared_ptr<net::LoopLookout> lookout_;
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
  // Calls `ready` whenever `descriptor` is what `interest` says (LoopWatch), beside the loop's own sockets. Only on
  // this loop. `system`: the system cannot watch it (a file, which is always ready), has too many already, or this loop
  // watches it already; `closed`: the loop is ending. An exception that leaves `ready` ends the program. Each call
  // keeps the loop from its connections: what takes long is done in pieces, since it comes again.
  [[nodiscard]] Result<LoopWatch> watch(int descriptor, Interest interest, std::function<void(Readiness)> ready) const;
  [[nodiscard]] bool on_this_loop() const noexcept;

  [[nodiscard]] explicit operator bool() const noexcept { return mailbox_ != nullptr; }
  friend bool operator==(const LoopHandle&, const LoopHandle&) = default;

 private:
  friend class net::LoopAlarm;
  std::shared_ptr<net::Mailbox> mailbox_;
};

}  // namespace fairlead

// SPDX-License-Identifier: Apache-2.0
// How a loop with a thread of its own waits: for its epoll set alone, in which a timer and a bell for other threads lie
// beside the sockets. So a turn of the loop costs one system call, whatever woke it.
#pragma once

#include "io/socket.h"

#include <fairlead/time.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <vector>

namespace fairlead::io {

// Loop's thread, but for `stop` and `post`. The loop's poller outlives it.
class OwnWait {
 public:
  explicit OwnWait(Loop& loop);
  OwnWait(const OwnWait&) = delete;
  OwnWait& operator=(const OwnWait&) = delete;
  ~OwnWait() = default;

  void run();
  void stop() noexcept;                   // any thread
  void post(std::function<void()> work);  // any thread
  // Drops what was posted and has not run. Before destruction: it may hold anything, even what posts when it goes.
  void drop_posted();
  // The loop's timers are looked at then; earlier than asked before.
  void wake_at(TimePoint at) noexcept;

 private:
  // A descriptor that is never read: each edge is an event of its own.
  class Watched final : public SocketEvents {
   public:
    Watched(Loop& loop, int descriptor, void (Loop::*then)());
    [[nodiscard]] int descriptor() const noexcept { return socket_.descriptor(); }

   private:
    void on_readable() override;
    void on_writable() override {}
    Loop& loop_;
    Socket socket_;
    void (Loop::*then_)();  // null: it is enough that the wait ended
  };

  void turn();
  [[nodiscard]] bool may_sleep() noexcept;
  void run_posted();
  void ring() noexcept;

  Loop& loop_;
  Watched timer_;
  Watched bell_;
  std::atomic<bool> stopped_ = false;
  std::atomic<bool> asleep_ = false;  // or about to be: whoever posts has to ring
  std::atomic<bool> posted_ = false;  // `inbox_` is not empty
  std::mutex mutex_;                  // guards `inbox_`
  std::vector<std::function<void()>> inbox_;
  std::vector<std::function<void()>> running_;  // taken from it
};

}  // namespace fairlead::io

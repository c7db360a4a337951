// SPDX-License-Identifier: Apache-2.0
// How a loop waits on the caller's io_context: Asio waits for the epoll set as a whole, for one timer, and runs what is
// posted. A turn costs more than with own_wait.h, since each goes through two sets.
#pragma once

#include <fairlead/time.h>

#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace fairlead::io {

class Loop;

// Loop's thread, but for `stop` and `post`. The loop's poller outlives it.
class GuestWait {
 public:
  GuestWait(Loop& loop, boost::asio::io_context& context, int set);
  GuestWait(const GuestWait&) = delete;
  GuestWait& operator=(const GuestWait&) = delete;
  ~GuestWait();

  void stop();                            // any thread
  void post(std::function<void()> work);  // any thread
  void wake_at(TimePoint at);
  void forget_to_wake();

  // A turn comes without waiting for anything, behind the handlers that are ready now.
  void need_turn();
  // Only while a socket is waited for: an idle server must not keep the caller's context running.
  void arm();
  void disarm_if_unused() noexcept;
  [[nodiscard]] boost::asio::io_context& context() noexcept;

 private:
  struct State;

  void turn();

  std::shared_ptr<State> state_;
};

}  // namespace fairlead::io

// SPDX-License-Identifier: Apache-2.0
// One thread's event loop over Asio: waiting, timers, an inbox for other threads, and the end of a turn.
#pragma once

#include "io/timers.h"

#include <fairlead/time.h>

#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace fairlead::io {

class Loop;
class Poller;

// Something to be done once at the end of the current turn of the loop, such as writing what this turn has produced.
// Asking twice in a turn counts once. Destroying it takes the wish back.
class Deferred {
 public:
  Deferred() = default;
  Deferred(const Deferred&) = delete;
  Deferred& operator=(const Deferred&) = delete;
  virtual ~Deferred();

 protected:
  virtual void on_turn_end() = 0;

 private:
  friend class Loop;
  Loop* loop_ = nullptr;
  Deferred* previous_ = nullptr;
  Deferred* next_ = nullptr;
};

// A turn is one pass of the event loop. Everything but `post`, `stop` and the constructor belongs to the loop's thread.
class Loop {
 public:
  Loop();                                           // with an io_context of its own
  explicit Loop(boost::asio::io_context& context);  // on the caller's, which outlives it
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  void run();   // until `stop`, which may have come before; once (own context only)
  void stop();  // thread-safe
  // Runs `work` on the loop's thread, in order. Thread-safe.
  void post(std::function<void()> work);
  // Runs `deferred` at the end of this turn.
  void defer(Deferred& deferred);

  void set_timer(Timer& timer, TimePoint at);
  void cancel_timer(Timer& timer) noexcept { timers_.cancel(timer); }

  [[nodiscard]] static TimePoint now() noexcept { return Clock::now(); }
  [[nodiscard]] boost::asio::io_context& context() noexcept;
  [[nodiscard]] Poller& poller() noexcept { return *poller_; }  // for sockets
  // The loop whose callback is running on this thread; null outside of one.
  [[nodiscard]] static Loop* current() noexcept;
  // What the owner of the loop hangs on it (net's per-loop state).
  void* user = nullptr;

  // Marks the loop as current while it lives: every way into the loop from Asio makes one.
  class Entered {
   public:
    explicit Entered(Loop& loop) noexcept;
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;
    ~Entered();

   private:
    Loop* before_;
  };

 private:
  struct Waiting;  // what Asio needs
  friend class Deferred;
  friend class Poller;  // ends the turns in which it has told sockets
  void end_turn();
  void arm();

  std::shared_ptr<Waiting> waiting_;
  std::unique_ptr<Poller> poller_;
  Timers timers_;
  Deferred* first_deferred_ = nullptr;
  Deferred* last_deferred_ = nullptr;
  bool turn_end_posted_ = false;
};

}  // namespace fairlead::io

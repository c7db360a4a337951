// SPDX-License-Identifier: Apache-2.0
// One thread's event loop: waiting, timers, an inbox for other threads, and the end of a turn. It waits by itself, or
// lets the caller's io_context wait.
#pragma once

#include "io/timers.h"

#include <fairlead/time.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

namespace boost::asio {
class io_context;
}

namespace fairlead::io {

class Batch;
class GuestWait;
class Loop;
class Outbox;
class OwnWait;
class Poller;
class Watches;

// Something to be done once at the end of the current turn of the loop, such as writing what this turn has produced.
// Asking twice in a turn counts once. Destroying it takes the wish back.
class Deferred {
 public:
  Deferred() = default;
  Deferred(const Deferred&) = delete;
  Deferred& operator=(const Deferred&) = delete;
  virtual ~Deferred();

  // Takes the wish back.
  void take_back() noexcept;

 protected:
  virtual void on_turn_end() = 0;
  // Its turn comes soon: what it will look at may be fetched while those before it work. Changes nothing.
  enum class Ahead : unsigned char { next, second };
  virtual void warm(Ahead /*place*/) const noexcept {}

 private:
  friend class Loop;
  Loop* loop_ = nullptr;
  Deferred* previous_ = nullptr;
  Deferred* next_ = nullptr;
};

// A turn is one pass of the event loop. Everything but `post`, `stop` and the constructor belongs to the loop's thread.
class Loop {
 public:
  Loop();                                           // runs on a thread of its own
  explicit Loop(boost::asio::io_context& context);  // on the caller's, which outlives it
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  void run();   // until `stop`, which may have come before; once (not on the caller's context)
  void stop();  // thread-safe
  // Runs `work` on the loop's thread, in order. Thread-safe.
  void post(std::function<void()> work);
  // Runs `deferred` at the end of this turn; of a later one when very many ends are due, see `end_turn`.
  void defer(Deferred& deferred);
  // What is being done at the end of this turn is as much work as `more` others: so many fewer of them are done before
  // the loop looks at its sockets again.
  void count_ends(std::size_t more) noexcept { more_ends_ += more; }

  void set_timer(Timer& timer, TimePoint at);
  void cancel_timer(Timer& timer) noexcept { timers_.cancel(timer); }

  [[nodiscard]] static TimePoint now() noexcept { return Clock::now(); }
  // When this turn first asked: for what happens in every message, and needs no better time than that.
  [[nodiscard]] TimePoint turn_time() noexcept {
    if (turn_time_ == TimePoint{}) turn_time_ = now();
    return turn_time_;
  }
  [[nodiscard]] boost::asio::io_context& context() noexcept;    // the caller's
  [[nodiscard]] Poller& poller() noexcept { return *poller_; }  // for sockets
  [[nodiscard]] Watches& watches() noexcept { return *watches_; }
  [[nodiscard]] Batch& batch() noexcept { return *batch_; }
  // What sockets have to write leaves from here, before a turn ends and before the loop is left.
  [[nodiscard]] Outbox& outbox() noexcept { return *outbox_; }
  // The loop whose callback is running on this thread; null outside of one.
  [[nodiscard]] static Loop* current() noexcept;
  // What the owner of the loop hangs on it (net's per-loop state).
  void* user = nullptr;

  // Marks the loop as current while it lives: every way into the loop makes one.
  class Entered {
   public:
    explicit Entered(Loop& loop) noexcept;
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;
    ~Entered();

   private:
    Loop& loop_;
    Loop* before_;
  };

 private:
  friend class Deferred;
  friend class Poller;
  // Who waits calls `tell`, then `end_turn` with what it said, turn by turn.
  friend class OwnWait;
  friend class GuestWait;
  std::size_t tell(int timeout_ms);
  void end_turn(std::size_t told);
  void warm_next() const noexcept;
  void fire_timers();
  void arm();
  [[nodiscard]] bool has_more_to_do() const noexcept;  // without waiting for anything

  std::unique_ptr<Batch> batch_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<OwnWait> own_;      // or
  std::unique_ptr<GuestWait> guest_;  // one of both
  std::unique_ptr<Watches> watches_;
  Timers timers_;
  std::optional<TimePoint> wake_at_;  // when the timers are looked at
  TimePoint turn_time_{};             // not asked for yet
  std::size_t more_ends_ = 0;
  Deferred* first_deferred_ = nullptr;
  Deferred* last_deferred_ = nullptr;
};

}  // namespace fairlead::io

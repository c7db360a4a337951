// SPDX-License-Identifier: Apache-2.0
// Small pieces that coroutines of this folder wait with: a stop request from any thread, a result that comes later.
#pragma once

#include "io/loop.h"
#include "io/timers.h"
#include "net/mailbox.h"

#include <fairlead/error.h>
#include <fairlead/time.h>

#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

namespace fairlead::net {

// Runs `stopped` on the loop once a stop is requested, on whatever thread that happens, unless this object has gone by
// then. Made and destroyed on the loop's thread.
class StopWatch {
 public:
  StopWatch(std::shared_ptr<Mailbox> mailbox, std::stop_token stop, std::function<void()> stopped)
      : watching_(std::make_shared<std::function<void()>>(std::move(stopped))) {
    if (stop.stop_possible()) callback_.emplace(std::move(stop), Post{std::move(mailbox), watching_});
  }
  StopWatch(const StopWatch&) = delete;
  StopWatch& operator=(const StopWatch&) = delete;
  ~StopWatch() { callback_.reset(); }

 private:
  struct Post {
    std::shared_ptr<Mailbox> mailbox;
    std::weak_ptr<std::function<void()>> watching;
    void operator()() const {
      mailbox->post([waiting = watching] {
        if (const auto call = waiting.lock()) (*call)();
      });
    }
  };
  std::shared_ptr<std::function<void()>> watching_;
  std::optional<std::stop_callback<Post>> callback_;
};

// A value that one callback delivers and one coroutine awaits. The first value counts.
template <class T>
class Later {
 public:
  void deliver(T value) {
    if (value_) return;
    value_.emplace(std::move(value));
    if (waiting_) std::exchange(waiting_, {}).resume();
  }
  [[nodiscard]] bool delivered() const noexcept { return value_.has_value(); }

  [[nodiscard]] bool await_ready() const noexcept { return value_.has_value(); }
  void await_suspend(std::coroutine_handle<> waiting) noexcept { waiting_ = waiting; }
  T await_resume() { return std::move(*value_); }

 private:
  std::optional<T> value_;
  std::coroutine_handle<> waiting_;
};

// Calls once at a time, unless it is destroyed or set anew before.
class Alarm final : public io::Timer {
 public:
  explicit Alarm(std::function<void()> ring) : ring_(std::move(ring)) {}

 private:
  void on_timer(TimePoint) override { ring_(); }
  std::function<void()> ring_;
};

}  // namespace fairlead::net

// SPDX-License-Identifier: Apache-2.0
// The coroutine type of the library: a lazy task that is awaited once, or spawned on a loop.
#pragma once

#include <fairlead/error.h>
#include <fairlead/time.h>

#include <coroutine>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <stop_token>
#include <utility>

namespace fairlead {

template <class T>
class Task;

namespace detail {

// What the promises of all tasks share: who awaits, and the hand-over to it at the end.
struct TaskPromiseBase {
  std::coroutine_handle<> continuation = std::noop_coroutine();
  std::exception_ptr exception;
  bool starting = false;  // it runs inside the await that started it, which goes on by itself when it ends there

  struct FinalAwaiter {
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
      return ended.promise().starting ? std::noop_coroutine() : ended.promise().continuation;
    }
    void await_resume() const noexcept {}
  };

  static std::suspend_always initial_suspend() noexcept { return {}; }
  static FinalAwaiter final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { exception = std::current_exception(); }
};

template <class T>
struct TaskPromise : TaskPromiseBase {
  std::optional<T> value;
  Task<T> get_return_object() noexcept;
  template <class U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T result() {
    if (exception) std::rethrow_exception(exception);
    return std::move(*value);
  }
};

template <>
struct TaskPromise<void> : TaskPromiseBase {
  Task<void> get_return_object() noexcept;
  void return_void() noexcept {}
  void result() const {
    if (exception) std::rethrow_exception(exception);
  }
};

}  // namespace detail

// A coroutine that starts when it is awaited and hands its result (or exception) to the one that awaits it. Move-only;
// destroying a task that has not finished destroys its frame. Tasks run on the loop of whoever awaits them.
//
// A coroutine must not be a lambda with captures that dies before it ends: the library keeps its own handlers alive,
// for your own nested lambdas that is your care.
template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::TaskPromise<T>;

  Task() noexcept = default;
  explicit Task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (frame_) frame_.destroy();
      frame_ = std::exchange(other.frame_, {});
    }
    return *this;
  }
  ~Task() {
    if (frame_) frame_.destroy();
  }

  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(frame_); }
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  // A task that ends without ever waiting is an ordinary call. Handing over to it and back again would need tail calls,
  // which compilers leave out of unoptimised builds: there a loop over such tasks would use up the stack.
  bool await_suspend(std::coroutine_handle<> awaiting) {
    const auto frame = frame_;
    frame.promise().continuation = awaiting;
    frame.promise().starting = true;
    frame.resume();
    frame.promise().starting = false;
    return !frame.done();
  }
  T await_resume() { return frame_.promise().result(); }

 private:
  std::coroutine_handle<promise_type> frame_;
};

namespace detail {
template <class T>
Task<T> TaskPromise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<TaskPromise<T>>::from_promise(*this));
}
inline Task<void> TaskPromise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<TaskPromise<void>>::from_promise(*this));
}
}  // namespace detail

// How long one call may take, and how to call it off. Both may be left out. A time past `longest_wait` is none.
struct CallOptions {
  // Constructors, so that it is no aggregate: g++ 12 destroys temporary aggregates twice in a co_await expression.
  CallOptions() noexcept = default;
  // Implicit: `receive(std::chrono::seconds(5))` is what callers write.
  template <class Rep, class Period>
  CallOptions(std::chrono::duration<Rep, Period> limit, std::stop_token token = {}) noexcept
      : timeout(within_the_clock(limit)), stop(std::move(token)) {}
  CallOptions(std::stop_token token) noexcept : stop(std::move(token)) {}

  std::optional<Duration> timeout;  // → Errc::timed_out
  std::stop_token stop;             // → Errc::cancelled; may be requested from any thread

 private:
  // milliseconds::max() is more than a Duration holds.
  template <class Rep, class Period>
  static constexpr Duration within_the_clock(std::chrono::duration<Rep, Period> limit) noexcept {
    using Seconds = std::chrono::duration<double>;
    if (Seconds(limit) >= Seconds(longest_wait)) return longest_wait;
    return limit > limit.zero() ? std::chrono::duration_cast<Duration>(limit) : Duration::zero();
  }
};

// How a loop reads and writes when several sockets are ready at a time.
enum class SystemCalls : std::uint8_t {
  automatic,   // all of them in one call of the system, by io_uring: from Linux 5.19 on, where it is not forbidden (as
               // in most containers); elsewhere one by one. Nothing else changes.
  one_by_one,  // without io_uring
};

// Runs `main` on a loop of its own on this thread until it has finished and everything that it spawned has ended.
// The way into the library for a client program. An exception that leaves `main` is thrown here. `calls`: a program
// with many connections gains by SystemCalls::automatic.
void run(Task<> main, SystemCalls calls = SystemCalls::one_by_one);
// Keeps a lambda's captures alive while it runs.
void run(std::function<Task<>()> main, SystemCalls calls = SystemCalls::one_by_one);

// Inside a task: starts another one beside it, on the same loop. An exception that leaves it ends the program.
void spawn(Task<> task);
void spawn(std::function<Task<>()> task);

// Inside a task: continues after `delay`. The result is an error (timed_out is not one of them) only when called off.
[[nodiscard]] Task<Result<void>> sleep_for(Duration delay, std::stop_token stop = {});

}  // namespace fairlead

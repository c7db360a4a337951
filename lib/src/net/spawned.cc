// SPDX-License-Identifier: Apache-2.0
#include "net/spawned.h"

#include <exception>
#include <utility>

namespace fairlead::net {

// The intrusive list of frames that have not ended.
struct Spawned::Node {
  Spawned* owner = nullptr;
  Node* previous = nullptr;
  Node* next = nullptr;
  std::coroutine_handle<> frame;

  void link(Spawned& list, std::coroutine_handle<> handle) {
    owner = &list;
    frame = handle;
    next = list.first_;
    if (next != nullptr) next->previous = this;
    list.first_ = this;
    ++list.running_;
  }
  void unlink() {
    (previous != nullptr ? previous->next : owner->first_) = next;
    if (next != nullptr) next->previous = previous;
    --owner->running_;
  }
};

struct Spawned::Root {
  struct promise_type : Node {
    Root get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    static std::suspend_always initial_suspend() noexcept { return {}; }
    struct Ended {
      [[nodiscard]] bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> ended) const noexcept {
        Spawned& list = *ended.promise().owner;
        ended.promise().unlink();
        ended.destroy();
        if (list.on_end) list.on_end();
      }
      void await_resume() const noexcept {}
    };
    static Ended final_suspend() noexcept { return {}; }
    static void return_void() noexcept {}
    [[noreturn]] static void unhandled_exception() noexcept { std::terminate(); }
  };
  std::coroutine_handle<promise_type> frame;
};

namespace {
Spawned::Root root_of(Task<> task) { co_await std::move(task); }
// The parameter lives in this frame, and with it what the lambda captured.
Spawned::Root root_of_function(std::function<Task<>()> make) { co_await make(); }
}  // namespace

void Spawned::start(Task<> task) {
  const Root root = root_of(std::move(task));
  root.frame.promise().link(*this, root.frame);
  root.frame.resume();
}

void Spawned::start(std::function<Task<>()> make) {
  const Root root = root_of_function(std::move(make));
  root.frame.promise().link(*this, root.frame);
  root.frame.resume();
}

void Spawned::destroy_all() {
  while (first_ != nullptr) {
    Node& node = *first_;
    node.unlink();
    node.frame.destroy();
  }
}

}  // namespace fairlead::net

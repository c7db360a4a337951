// SPDX-License-Identifier: Apache-2.0
// Coroutines that run beside each other on a loop and that nobody awaits.
#pragma once

#include <fairlead/task.h>

#include <coroutine>
#include <cstddef>
#include <functional>

namespace fairlead::net {

// Starts tasks and holds on to those that have not ended; destroys their frames when the loop goes. Loop's thread.
class Spawned {
 public:
  Spawned() = default;
  Spawned(const Spawned&) = delete;
  Spawned& operator=(const Spawned&) = delete;
  ~Spawned() { destroy_all(); }

  // Runs `task` until it first waits. An exception that leaves it ends the program, as it would leave a thread.
  void start(Task<> task);
  // Also keeps the function object, since a coroutine refers to its lambda's captures.
  void start(std::function<Task<>()> make);
  // Frames that wait are destroyed where they wait.
  void destroy_all();

  [[nodiscard]] std::size_t running() const noexcept { return running_; }
  std::function<void()> on_end;  // after each one

  struct Root;  // the coroutine at the bottom of each

 private:
  struct Node;
  Node* first_ = nullptr;
  std::size_t running_ = 0;
};

}  // namespace fairlead::net

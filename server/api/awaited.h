// SPDX-License-Identifier: Apache-2.0
// How a handler's coroutine waits for an answer that comes from any thread: it sleeps until the answer calls it off.
#pragma once

#include <fairlead/task.h>

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace fairlead::server {

template <class T>
class Awaited {
 public:
  Awaited() : state_(std::make_shared<State>()) {}

  // Thread-safe; the first answer counts. Copies of the returned callable may outlive the waiting coroutine.
  [[nodiscard]] auto setter() const {
    return [state = state_](T value) {
      {
        const std::scoped_lock lock(state->mutex);
        if (!state->value) state->value = std::move(value);
      }
      state->arrived.request_stop();
    };
  }

  // Once, on the loop. Nothing: no answer came within `limit`.
  Task<std::optional<T>> wait(Duration limit) {
    const auto state = state_;
    static_cast<void>(co_await sleep_for(limit, state->arrived.get_token()));
    const std::scoped_lock lock(state->mutex);
    co_return std::move(state->value);
  }

 private:
  struct State {
    std::mutex mutex;
    std::optional<T> value;
    std::stop_source arrived;
  };
  std::shared_ptr<State> state_;
};

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
// Standard input for a coroutine: a thread reads (files and terminals cannot be waited on like sockets), the loop takes
// pieces as fast as the peer takes them, and between the two there is never more than a few pieces.
#pragma once

#include <fairlead/connection.h>

#include <condition_variable>
#include <coroutine>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "line_splitter.h"

namespace fairlead::cli {

class Input {
 public:
  // `descriptor` stays the caller's. `read_bytes`: at most so much is asked for at a time.
  Input(int descriptor, LineSplitter splitter, std::size_t read_bytes);
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  ~Input();  // ends the thread, also when it waits for a person at a keyboard

  // ── On the loop ───────────────────────────────────────────────────────────────────────────────────────────────────
  // Says on whose loop `next` is awaited, and starts the thread the first time. What was not taken by the connection
  // before is still there.
  void attach(const ConnectionHandle& handle);
  // Whoever awaits `next` gets nothing, now and until the next `attach`.
  void interrupt();
  // Everything has been read and taken.
  [[nodiscard]] bool ended() const;

  // `co_await input.next()`: a piece, an error (nothing follows it), or nothing: the end, or interrupted.
  class Next {
   public:
    explicit Next(Input& input) noexcept : input_(input) {}
    [[nodiscard]] bool await_ready() const { return input_.ready(); }
    bool await_suspend(std::coroutine_handle<> waiting) { return input_.wait(waiting); }
    std::optional<Result<Piece>> await_resume() { return input_.take(); }

   private:
    Input& input_;
  };
  [[nodiscard]] Next next() noexcept { return Next(*this); }

 private:
  void read_all();  // the thread
  [[nodiscard]] bool wait_for_room();
  [[nodiscard]] bool wait_for_bytes() const;
  [[nodiscard]] bool read_some(std::string& buffer);
  void publish();
  void publish_end(std::optional<Error> error);
  void tell_loop();

  [[nodiscard]] bool ready() const;
  [[nodiscard]] bool ready_locked() const { return interrupted_ || ended_ || !queue_.empty(); }
  bool wait(std::coroutine_handle<> waiting);
  std::optional<Result<Piece>> take();
  void resume_if_ready();

  const int descriptor_;
  const std::size_t read_bytes_;
  LineSplitter splitter_;  // the thread's
  int stop_descriptor_;

  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::deque<Result<Piece>> queue_;
  std::size_t queued_bytes_ = 0;
  bool ended_ = false;
  bool interrupted_ = true;  // nobody is attached
  bool stopping_ = false;
  std::coroutine_handle<> waiting_;
  ConnectionHandle handle_;

  std::thread thread_;
};

}  // namespace fairlead::cli

// SPDX-License-Identifier: Apache-2.0
// One open connection of `fairlead connect`: what is read goes out, what comes in is written, until either side ends.
#pragma once

#include <fairlead/connection.h>
#include <fairlead/time.h>

#include <coroutine>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <utility>

#include "connect_options.h"
#include "input.h"
#include "output.h"

namespace fairlead::cli {

struct Traffic {
  std::uint64_t messages_out = 0, messages_in = 0, bytes_out = 0, bytes_in = 0;
  std::uint64_t connections = 0;
  Duration round_trip_time{};
};

// How a connection ended.
struct Ending {
  CloseInfo close;
  std::optional<Error> error;        // of the protocol or the stream
  std::optional<Error> local_error;  // of our input or output
};

// Counts coroutines that run beside the one that waits for them.
class Children {
 public:
  void begin() noexcept { ++running_; }
  void end() {
    if (--running_ == 0 && waiting_) std::exchange(waiting_, {}).resume();
  }
  [[nodiscard]] bool await_ready() const noexcept { return running_ == 0; }
  void await_suspend(std::coroutine_handle<> waiting) noexcept { waiting_ = waiting; }
  void await_resume() const noexcept {}

 private:
  int running_ = 0;
  std::coroutine_handle<> waiting_;
};

// Must live until `talk` has ended.
class Conversation {
 public:
  Conversation(Connection& ws, Input& input, Output& output, Traffic& traffic, const ConnectOptions& options)
      : ws_(ws), input_(input), output_(output), traffic_(traffic), options_(options) {}

  // Ends when the connection has closed and nothing of the conversation runs any more.
  [[nodiscard]] Task<Ending> talk();

 private:
  [[nodiscard]] Task<> run_sender();
  [[nodiscard]] Task<> send_input();
  [[nodiscard]] Task<bool> send_piece(Piece piece);  // false: the connection has closed
  [[nodiscard]] Task<> wait_for_answers();
  [[nodiscard]] Task<> run_pinger();
  [[nodiscard]] Task<> ping_regularly();
  void received(const Chunk& chunk);
  void end_with(Error local_error);
  [[nodiscard]] bool input_is_done() const { return input_.ended(); }

  Connection& ws_;
  Input& input_;
  Output& output_;
  Traffic& traffic_;
  const ConnectOptions& options_;

  Children children_;
  std::stop_source over_;  // the connection has closed
  TimePoint last_traffic_{};
  std::optional<Error> local_error_;
};

}  // namespace fairlead::cli

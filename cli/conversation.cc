// SPDX-License-Identifier: Apache-2.0
#include "conversation.h"

#include <fairlead/task.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "terminal.h"

namespace fairlead::cli {
namespace {

// How often a state without an event of its own is looked at: answers to pings, a queue that empties.
constexpr std::chrono::milliseconds look_interval{10};

// How long input is sent before the loop has its turn. A fast reader of ours never makes a send wait, and an endless
// input would then keep answers, pings and signals from being seen.
constexpr std::chrono::milliseconds longest_turn{5};

void print_round_trip(Duration time) {
  const double milliseconds = std::chrono::duration<double, std::milli>(time).count();
  const std::string line = fmt::format("rtt {:.3f} ms\n", milliseconds);
  (void)write_all(STDERR_FILENO, styled(line, Style::dim, wants_colour(STDERR_FILENO)));
}

}  // namespace

Task<Ending> Conversation::talk() {
  ++traffic_.connections;
  last_traffic_ = Clock::now();
  input_.attach(ws_.handle());
  children_.begin();
  spawn(run_sender());
  if (options_.ping_seconds > 0) {
    children_.begin();
    spawn(run_pinger());
  }
  while (true) {
    const Result<Chunk> chunk = co_await ws_.receive_chunk();
    if (!chunk) break;
    received(*chunk);
  }
  over_.request_stop();
  input_.interrupt();
  co_await children_;
  Ending ending;
  ending.close = co_await ws_.closed();
  ending.local_error = local_error_;
  if (ws_.error() != nullptr) ending.error = *ws_.error();
  traffic_.round_trip_time = ws_.round_trip_time();
  co_return ending;
}

void Conversation::received(const Chunk& chunk) {
  traffic_.bytes_in += chunk.payload.size();
  if (chunk.last) ++traffic_.messages_in;
  if (!local_error_ && !output_.write(chunk)) {
    end_with({Errc::system, fmt::format("cannot write the output: {}", std::generic_category().message(errno))});
  }
  // Behind the write, which waits for a slow reader: that time is not silence of the server.
  last_traffic_ = Clock::now();
}

void Conversation::end_with(Error local_error) {
  local_error_ = std::move(local_error);
  (void)ws_.close(close_code::going_away);
}

// ── What is read goes out ───────────────────────────────────────────────────────────────────────────────────────────

Task<> Conversation::run_sender() {
  co_await send_input();
  children_.end();
}

Task<> Conversation::send_input() {
  TimePoint turn_ends = Clock::now() + longest_turn;
  while (true) {
    std::optional<Result<Piece>> piece = co_await input_.next();
    if (!piece) break;
    if (!*piece) {
      end_with(std::move(piece->error()));
      co_return;
    }
    const bool open = co_await send_piece(*std::move(*piece));
    if (!open) co_return;
    if (Clock::now() < turn_ends) continue;
    (void)co_await sleep_for(Duration::zero(), over_.get_token());
    turn_ends = Clock::now() + longest_turn;
  }
  if (!input_.ended() || options_.exit_on_close) co_return;
  if (!options_.no_wait) co_await wait_for_answers();
  (void)ws_.close(close_code::normal);
}

Task<bool> Conversation::send_piece(Piece piece) {
  traffic_.bytes_out += piece.bytes.size();
  if (piece.last) ++traffic_.messages_out;
  SendResult result = SendResult::closed;
  if (piece.first && piece.last) {
    const Message message{.kind = piece.kind, .payload = std::move(piece.bytes)};
    result = co_await ws_.send(message);
  } else {
    result = co_await ws_.send_chunk(piece.kind, as_bytes(piece.bytes), piece.last);
  }
  last_traffic_ = Clock::now();
  co_return result == SendResult::sent || result == SendResult::queued;
}

// Answers may be on their way until nothing has come for a while, counted from the last that came, or from when our
// last byte left.
Task<> Conversation::wait_for_answers() {
  const auto linger = milliseconds(options_.linger_seconds);
  while (ws_.open()) {
    if (ws_.queued_bytes() > 0) last_traffic_ = Clock::now();
    const Duration left = last_traffic_ + linger - Clock::now();
    if (left <= Duration::zero()) co_return;
    const Duration pause = ws_.queued_bytes() > 0 ? std::min<Duration>(left, look_interval) : left;
    (void)co_await sleep_for(pause, over_.get_token());
  }
}

// ── Pings ───────────────────────────────────────────────────────────────────────────────────────────────────────────

Task<> Conversation::run_pinger() {
  co_await ping_regularly();
  children_.end();
}

Task<> Conversation::ping_regularly() {
  while (ws_.open()) {
    const Duration before = ws_.round_trip_time();
    (void)ws_.ping();
    const TimePoint next = Clock::now() + milliseconds(options_.ping_seconds);
    bool answered = false;
    while (ws_.open() && Clock::now() < next) {
      const Duration left = next - Clock::now();
      const Duration pause = answered ? left : std::min<Duration>(left, look_interval);
      (void)co_await sleep_for(pause, over_.get_token());
      if (answered || ws_.round_trip_time() == before) continue;
      answered = true;
      print_round_trip(ws_.round_trip_time());
    }
  }
}

}  // namespace fairlead::cli

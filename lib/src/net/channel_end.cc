// SPDX-License-Identifier: Apache-2.0
// How a WebSocket ends on its loop, and what time does to it.
#include "net/channel.h"

#include "net/thrown.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace fairlead::net {
namespace {

// Room for a sealed close frame (RFC 6455 5.5: at most 125 bytes of payload), which may leave with the end of TLS and
// TCP.
constexpr std::size_t gathered_at_the_end_bytes = 256;
// Who takes what is left at a close at this rate, that of a phone with little reception, is waited for.
constexpr std::size_t slowest_bytes_per_second = std::size_t{16} * 1024;
// How often in `close_time` it is asked whether the peer has taken more of what the system holds.
constexpr int looks_into_system = 8;

}  // namespace

// ── Ending ──────────────────────────────────────────────────────────────────────────────────────────────────────────

Result<void> Channel::close(CloseCode code, std::string_view reason) {
  if (closed_) return {};
  catch_up_with_groups();
  auto result = ws_.close(code, reason, io::Loop::now());
  if (!result) return result;
  release();  // the peer's answer is to be read
  want_flush();
  if (unheard()) read_on_later();
  return result;
}

void Channel::fail(const Thrown& thrown) {
  if (error_ == nullptr) error_ = std::make_unique<Error>(thrown.error);
  context_.counters.failed(thrown.error.code);
  log_failure(LogLevel::error, "closed", thrown.for_log(settings_->log_exceptions));
  static_cast<void>(close(close_code::internal_error, {}));
}

// Our close frame is behind all that we sent: it has not left where something else has not.
CloseInfo Channel::close_info() const {
  CloseInfo info = ws_.close_info();
  info.clean = info.clean && !undelivered_;
  return info;
}

// The peer may have ended its direction alone, behind its close frame, and still read: what we owe leaves first. When
// it has, `end_stream_if_finished` goes on here.
void Channel::end_behind_stream() {
  if (stream_->sealed_off()) return end_stream();  // what still waits here never leaves
  write_output();
  const bool owes = !closed_ && !ws_.over() && !stream_->broken();
  if (owes && !all_has_left()) return rearm();
  end_stream();
}

// RFC 6455 7.1.1: the server ends the stream first; the client waits for it (`finished` knows the roles).
void Channel::end_stream_if_finished() {
  if (ws_.finished() && !stream_->shutting_down() && all_has_left()) end_stream();
}

// What is more than the close frame has the time of every write, not that of closing.
bool Channel::all_has_left() {
  if (stream_->gathered_bytes() > gathered_at_the_end_bytes) stream_->flush();
  return stream_->has_room() && ws_.queued_bytes() == 0;
}

void Channel::end_stream() {
  const auto alive = shared_from_this();
  follow_closing();
  tell_closed();
  const Duration close_time = settings_->ws.limits.close_time;
  const bool all_left = closing_ != nullptr && closing_->left;
  // The end of TCP is a part of what the peer owes: who has had all of that time gets no second helping.
  const Duration linger =
      all_left ? std::clamp<Duration>(closing_by() - io::Loop::now(), Duration::zero(), close_time) : close_time;
  stream_->shutdown(linger, closing_ != nullptr ? closing_->leave_by : TimePoint());
}

std::size_t Channel::held_bytes() const noexcept {
  return ws_.held_bytes() + stream_->unsent_bytes() + (waiters_ != nullptr ? waiters_->inbox_bytes : 0);
}

void Channel::shed() {
  const auto alive = shared_from_this();
  if (ws_.may_send()) {
    ws_.give_up(Errc::memory_budget_exceeded, io::Loop::now());
    slowed_ = false;  // nothing of what it slowed down for is left
    pump();
    return flush();
  }
  ws_.receive_end(io::Loop::now());
  tell_closed();
  cut();
}

void Channel::cut() {
  const auto alive = shared_from_this();
  stream_->abort();
  unregister();
}

void Channel::unregister() {
  if (!std::exchange(registered_, false)) return;
  const auto alive = shared_from_this();
  context_.channels.erase(this);
  facade_ = Connection();
  let_go_of_loop();
  if (context_.on_idle) context_.on_idle();
}

// The application may hold on to a connection that has ended for longer than its loop lasts: what is left may be asked,
// and destroyed, without the loop.
void Channel::let_go_of_loop() {
  take_back();
  context_.loop.cancel_timer(*this);
  if (!forsaken_) {
    afterwards_ = std::make_unique<const Afterwards>(Afterwards{stream_->tls_info(), context_.mailbox});
  }
  ws_.give_back();
  stream_.reset();
}

void Channel::abandon() {
  const auto alive = shared_from_this();
  ws_.receive_end(io::Loop::now());
  tell_closed();
  stream_->abort();
  facade_ = Connection();
  registered_ = false;
  let_go_of_loop();
}

void Channel::forsaken() {
  if (std::exchange(forsaken_, true) || closed_) return;
  static_cast<void>(close(close_code::going_away, {}));  // reads on: now nobody has to take what comes
}

// ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────────────

// Called when something has been written, or is left over.
void Channel::follow_closing() {
  if (ws_.may_send()) return;
  const std::size_t waits = waiting_bytes();
  if (closing_ != nullptr && waits != 0) return closing_->left.reset();
  if (closing_ != nullptr && closing_->left) return;
  const TimePoint now = io::Loop::now();
  const std::size_t untaken = stream_->untaken_bytes();
  if (closing_ == nullptr) {
    const auto slowly = std::chrono::milliseconds(1'000 * (waits + untaken) / slowest_bytes_per_second);
    closing_ = std::make_unique<Closing>(Closing{now + settings_->ws.limits.write_stall_time + slowly, std::nullopt});
  }
  if (waits != 0) return;
  closing_->left = now;
  closing_->untaken_bytes = untaken;
}

// To cut the connection would discard what the system still holds, as soon as the peer sends something: who goes on
// taking it is waited for. When it has taken all, its time has run since it was last seen to be taking.
void Channel::look_into_system(TimePoint now) {
  if (!closing_->left || closing_->untaken_bytes == 0) return;
  const std::size_t before = std::exchange(closing_->untaken_bytes, stream_->untaken_bytes());
  if (closing_->untaken_bytes != 0 && closing_->untaken_bytes < before) closing_->left = now;
}

TimePoint Channel::closing_by() const noexcept {
  if (!closing_->left) return closing_->leave_by;
  return std::min(*closing_->left, closing_->leave_by) + settings_->ws.limits.close_time;
}

TimePoint Channel::next_look_at_closing() const noexcept {
  if (!closing_->left || closing_->untaken_bytes == 0) return closing_by();
  const Duration a_while = settings_->ws.limits.close_time / looks_into_system + std::chrono::milliseconds(1);
  return std::min(closing_by(), io::Loop::now() + a_while);
}

void Channel::rearm() {
  follow_closing();
  auto at = closing_ != nullptr ? next_look_at_closing() : ws_.deadline();
  if (const auto stalled = stream_->stalled_since()) {
    const TimePoint limit = *stalled + settings_->ws.limits.write_stall_time;
    at = at ? std::min(*at, limit) : limit;
  }
  // A timer that comes too early looks again, so it only ever has to be moved forward.
  if (!at || (armed() && this->at() <= *at)) return;
  context_.loop.set_timer(*this, *at);
}

void Channel::on_timer(TimePoint now) {
  const auto alive = shared_from_this();
  const auto stalled = stream_->stalled_since();
  if (stalled && now >= *stalled + settings_->ws.limits.write_stall_time) {
    return give_up({Errc::timed_out, "the peer takes no data"});
  }
  if (closing_ != nullptr) return on_closing_timer(now);
  // Whoever is paused receives nothing by our own doing: that is not idleness of the peer.
  if (stream_->paused() && ws_.may_send()) {
    const auto idle = settings_->ws.limits.idle_time;
    if (idle <= idle.zero()) return rearm();  // it never is
    const TimePoint looks_again = now + ws::quiet_before_ping(idle);
    const TimePoint stall_limit = stalled ? *stalled + settings_->ws.limits.write_stall_time : looks_again;
    return context_.loop.set_timer(*this, std::min(looks_again, stall_limit));
  }
  ws_.on_deadline(now);
  pump();
  flush();
}

// Any timer may come too early, one that was set for something else, too: only a time that has passed ends anything.
void Channel::on_closing_timer(TimePoint now) {
  follow_closing();
  look_into_system(now);
  if (now < closing_by()) return rearm();
  if (!closing_->left || ws_.finished()) return give_up({Errc::timed_out, "the peer takes too little"});
  ws_.on_deadline(now);
  pump();
  flush();
}

// The peer does not take what it was sent.
void Channel::give_up(const Error& why) {
  tell_failure();
  context_.counters.failed(why.code);
  log_failure(LogLevel::info, "cut", why);
  if (error_ == nullptr) error_ = std::make_unique<Error>(why);
  ws_.receive_end(io::Loop::now());
  tell_closed();
  cut();
}

}  // namespace fairlead::net

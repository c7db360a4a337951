// SPDX-License-Identifier: Apache-2.0
// How a WebSocket ends on its loop, and what time does to it.
#include "net/channel.h"

#include "net/thrown.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace fairlead::net {
namespace {

// Room for a sealed close frame (RFC 6455 5.5: at most 125 bytes of payload), which may leave with the end of TLS and
// TCP.
constexpr std::size_t gathered_at_the_end_bytes = 256;

}  // namespace

// ── Ending ──────────────────────────────────────────────────────────────────────────────────────────────────────────

Result<void> Channel::close(CloseCode code, std::string_view reason) {
  if (closed_) return {};
  release();  // the peer's answer is to be read
  auto result = ws_.close(code, reason, io::Loop::now());
  if (result) want_flush();
  if (unheard()) read_on_later();
  return result;
}

void Channel::fail(const Thrown& thrown) {
  if (error_ == nullptr) error_ = std::make_unique<Error>(thrown.error);
  context_.counters.failed(thrown.error.code);
  log_failure(LogLevel::error, "closed", thrown.for_log(settings_->log_exceptions));
  static_cast<void>(close(close_code::internal_error, {}));
}

// What we owe (such as the echo of a close frame that came with the goodbye) still leaves, if it can.
void Channel::end_behind_stream() {
  write_output();
  tell_closed();
  stream_->shutdown(settings_->ws.limits.close_time);
}

// RFC 6455 7.1.1: the server ends the stream first; the client waits for it (`finished` knows the roles). What cannot
// be delivered any more is given up.
void Channel::end_stream_if_finished(bool give_up) {
  if (!ws_.finished() || stream_->shutting_down()) return;
  // What is more than the close frame has the time of every write, not that of closing.
  if (stream_->gathered_bytes() > gathered_at_the_end_bytes) stream_->flush();
  const bool drained = stream_->has_room() && ws_.queued_bytes() == 0;
  if (!drained && !give_up) return;
  const auto alive = shared_from_this();
  context_.loop.cancel_timer(*this);
  tell_closed();
  // The limit runs from our close frame to the end of TCP: a peer that has had all of it gets no second helping.
  if (drained) return stream_->shutdown(close_time_used_ ? Duration::zero() : settings_->ws.limits.close_time);
  cut();
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
  if (!forsaken_) last_tls_info_ = std::make_unique<const TlsInfo>(stream_->tls_info());
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

void Channel::rearm() {
  auto at = ws_.deadline();
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
    tell_failure();
    const Error stall{Errc::timed_out, "the peer takes no data"};
    context_.counters.failed(stall.code);
    log_failure(LogLevel::info, "cut", stall);
    if (error_ == nullptr) error_ = std::make_unique<Error>(stall);
    ws_.receive_end(now);
    tell_closed();
    return cut();
  }
  // Whoever is paused receives nothing by our own doing: that is not idleness of the peer.
  if (stream_->paused() && ws_.may_send()) {
    const auto idle = settings_->ws.limits.idle_time;
    if (idle <= idle.zero()) return rearm();  // it never is
    context_.loop.set_timer(*this, now + idle / 2);
    return;
  }
  const bool was_closing = !ws_.may_send() && !ws_.finished();
  ws_.on_deadline(now);
  close_time_used_ = was_closing && ws_.finished();
  pump();
  flush();
  end_stream_if_finished(true);
}

}  // namespace fairlead::net

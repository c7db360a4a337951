// SPDX-License-Identifier: Apache-2.0
// The part of an HTTP session that carries an answer in pieces: framing, the bound on what waits, and the end.
#include "http1/writer.h"
#include "net/http_session.h"
#include "net/server_core.h"
#include "net/thrown.h"

#include <array>
#include <charconv>
#include <utility>

namespace fairlead::net {
namespace {

constexpr std::chrono::seconds linger_after_stream{1};
// So much output of one turn is written before the turn ends: memory stays bounded while the application sends on.
constexpr std::size_t flush_now_bytes = std::size_t{256} * 1024;

// RFC 9112 7.1: chunk = chunk-size CRLF chunk-data CRLF
void append_chunk(Buffer& out, Bytes piece) {
  std::array<char, 2 * sizeof(std::size_t)> size{};
  const auto written = std::to_chars(size.data(), size.data() + size.size(), piece.size(), 16);
  out.append(as_bytes({size.data(), static_cast<std::size_t>(written.ptr - size.data())}));
  out.append(as_bytes("\r\n"));
  out.append(piece);
  out.append(as_bytes("\r\n"));
}

}  // namespace

void HttpSession::begin_stream(const std::function<void(ResponseStream)>& begin,
                               const http1::ResponseContext& context) {
  auto link = std::make_shared<StreamLink>(*this);
  phase_ = Streaming{context, link, context.version == HttpVersion::http_1_1, false};
  arm(std::nullopt);
  loop_.loop->defer(*this);  // the head leaves also when no piece comes
  stream_->resume();         // the peer's end must be seen
  call_streaming("the start of a streamed answer", [&] { begin(ResponseStream(std::move(link))); });
}

// Whoever throws will not go on with the answer; one that has been ended before still leaves.
void HttpSession::call_streaming(std::string_view who, const std::function<void()>& told) {
  try {
    told();
  } catch (...) {
    count_thrown(who, nullptr);
    if (std::holds_alternative<Streaming>(phase_)) cut_stream();
  }
}

std::size_t HttpSession::stream_queued_bytes() const noexcept {
  return stream_waiting_bytes() + stream_->gathered_bytes();
}

// Without what leaves at the end of the turn, if the socket takes it: else `on_stalled` tells.
std::size_t HttpSession::stream_waiting_bytes() const noexcept { return out_.size() + stream_->unsent_bytes(); }

SendResult HttpSession::take_piece(Bytes piece) {
  auto& streaming = std::get<Streaming>(phase_);
  const bool room = stream_->has_room();
  if (piece.empty()) return room ? SendResult::sent : SendResult::queued;
  const std::size_t waiting = stream_waiting_bytes();
  if (waiting != 0 && waiting + piece.size() > stream_limit_bytes_) return refuse_piece();
  if (streaming.chunked) {
    append_chunk(out_, piece);
  } else {
    out_.append(piece);
  }
  const std::size_t queued = waiting + stream_->gathered_bytes() + piece.size();
  streaming.above_half = streaming.above_half || queued > stream_limit_bytes_ / 2;
  if (room && out_.size() >= flush_now_bytes) write_stream_output();
  loop_.loop->defer(*this);
  return room ? SendResult::sent : SendResult::queued;
}

SendResult HttpSession::refuse_piece() {
  if (core_.options().limits.overflow != OverflowPolicy::close) {
    loop_.context->counters.messages_dropped.add();
    if (!std::exchange(told_of_drops_, true)) {
      core_.log(LogLevel::info, "drops pieces" + whose(nullptr) + " " + std::string(name(Errc::outgoing_queue_full)));
    }
    return SendResult::over_limit;
  }
  count_failure({Errc::outgoing_queue_full, "the peer is too slow for a streamed answer"}, nullptr);
  // The application stands in the middle of its `send`: it learns of the end in a call of its own.
  loop_.loop->post(unlink_stream());
  end(linger_after_stream);
  return SendResult::over_limit;
}

void HttpSession::finish_stream() {
  const auto alive = shared_from_this();
  const Streaming streaming = std::get<Streaming>(phase_);
  if (streaming.chunked) out_.append(as_bytes("0\r\n\r\n"));  // RFC 9112 7.1: last-chunk, no trailer fields
  // What its callbacks keep may be whoever calls: it goes when that has returned.
  loop_.loop->post([kept = unlink_stream()] {});
  phase_ = Answering{streaming.context, std::nullopt, 0};
  stream_->pause();
  arm(io::Loop::now() + core_.options().limits.write_stall_time);
  loop_.loop->defer(*this);
}

void HttpSession::forsake_stream() {
  // Called from a destructor, perhaps from the middle of our own work.
  static_cast<void>(unlink_stream());
  end(linger_after_stream);
}

// Takes the answer away from its handles; what is left to call.
std::function<void()> HttpSession::unlink_stream() {
  const auto* streaming = std::get_if<Streaming>(&phase_);
  const auto link = streaming != nullptr ? streaming->link.lock() : nullptr;
  if (link == nullptr) return [] {};
  link->carrier = nullptr;
  // Callbacks may hold copies of the stream: a circle until here.
  return [&core = core_, &loop = loop_, closed = std::move(link->closed), drained = std::move(link->drained)] {
    try {
      if (closed) closed();
    } catch (...) {  // the session may have gone by now
      const Error error = thrown_by("on_close").for_log(core.options().dangerously_log_exceptions);
      loop.context->counters.failed(error.code);
      core.log(LogLevel::error, "failed " + to_string(error));
    }
  };
}

void HttpSession::cut_stream() {
  const auto alive = shared_from_this();
  end(linger_after_stream);
}

void HttpSession::on_turn_end() {
  const auto alive = shared_from_this();
  if (std::holds_alternative<Streaming>(phase_)) return write_stream();
  if (std::holds_alternative<Answering>(phase_)) write_answer();
}

void HttpSession::write_stream_output() {
  while (stream_->has_room() && !out_.empty()) {
    const std::array pieces{Bytes(out_.readable())};
    out_.consume(stream_->write(pieces));
  }
}

void HttpSession::on_stalled() {
  auto* const streaming = std::get_if<Streaming>(&phase_);
  if (streaming == nullptr) return;
  streaming->above_half = streaming->above_half || stream_waiting_bytes() > stream_limit_bytes_ / 2;
  if (!armed()) arm(*stream_->stalled_since() + core_.options().limits.write_stall_time);
}

void HttpSession::write_stream() {
  write_stream_output();
  out_.release_if_empty();
  auto& streaming = std::get<Streaming>(phase_);
  if (streaming.above_half) stream_->flush();  // room is what has left, not what may leave
  if (stream_->stalled_since()) return on_stalled();
  if (!streaming.above_half || stream_waiting_bytes() >= stream_limit_bytes_ / 2) return;
  streaming.above_half = false;
  const auto link = streaming.link.lock();
  if (link == nullptr || !link->drained) return;
  const auto drained = link->drained;  // it may replace itself
  call_streaming("on_drain", drained);
}

void HttpSession::on_stream_timer(TimePoint now) {
  const auto stalled = stream_->stalled_since();
  if (!stalled) return;
  const TimePoint limit = *stalled + core_.options().limits.write_stall_time;
  if (now < limit) return arm(limit);
  count_failure({Errc::timed_out, "the peer takes nothing of a streamed answer"}, nullptr);
  cut_stream();
}

}  // namespace fairlead::net

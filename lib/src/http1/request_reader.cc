// SPDX-License-Identifier: Apache-2.0
#include "http1/request_reader.h"

#include "base/assert.h"
#include "base/finite.h"
#include "http1/body_reader.h"
#include "http1/head_parser.h"
#include "http1/head_scanner.h"
#include "text/tokens.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace fairlead::http1 {
namespace {

// ── Phases: what is known while one lasts ───────────────────────────────────────────────────────────────────────────
struct AwaitingHead {
  HeadScanner scanner;
  TimePoint deadline;
  bool begun = false;  // a byte has come; a first request counts as begun by the connection itself
  bool first = false;
};
struct AwaitingBody {
  Request request;
  BodyReader body;
  TimePoint began;
  TimePoint deadline;
  std::size_t received_bytes = 0;
};
struct Delivered {};
struct Ended {
  std::optional<RequestReaderEvent> last;
};
using Phase = std::variant<AwaitingHead, AwaitingBody, Delivered, Ended>;

// For a body of which so much has arrived: what is only announced buys no time.
std::chrono::milliseconds time_for(std::size_t bytes, const Limits& limits) {
  const std::uint64_t seconds = bytes / std::max<std::uint64_t>(limits.http_body_bytes_per_second, 1);
  const std::uint64_t most = std::chrono::duration_cast<std::chrono::seconds>(longest_wait).count();
  return finite(limits.http_head_time + std::chrono::seconds(std::min(seconds, most)));
}

bool expects_continue(const Request& request) {
  // RFC 9110 10.1.1: a server MUST ignore the expectation in a 1.0 request.
  return request.version == HttpVersion::http_1_1 &&
         text::equals_ignoring_case(request.headers.find("Expect").value_or(""), "100-continue");
}

}  // namespace

struct RequestReader::State {
  State(const Limits& of_connection, Buffer storage, TimePoint start)
      : limits(of_connection),
        buffer(std::move(storage)),
        now(start),
        phase(AwaitingHead{HeadScanner(limits), start + limits.http_head_time, false, true}) {}

  std::optional<RequestReaderEvent> step(AwaitingHead& head);
  std::optional<RequestReaderEvent> step(AwaitingBody& body);
  static std::optional<RequestReaderEvent> step(Delivered& /*unused*/) { return std::nullopt; }
  static std::optional<RequestReaderEvent> step(Ended& ended) { return std::exchange(ended.last, std::nullopt); }

  std::optional<RequestReaderEvent> deliver(Request request);
  RequestReaderEvent failed(Error error) {
    phase = Ended{};
    return RequestFailedEvent{std::move(error)};
  }
  void end_with(RequestReaderEvent event) { phase = Ended{std::move(event)}; }
  [[nodiscard]] bool idle() const {
    const auto* head = std::get_if<AwaitingHead>(&phase);
    return head != nullptr && !head->begun;
  }

  const Limits& limits;
  Buffer buffer;
  TimePoint now;
  Phase phase;
  std::function<std::size_t(const Request&)> body_limit;
};

std::optional<RequestReaderEvent> RequestReader::State::step(AwaitingHead& head) {
  const auto extent = head.scanner.scan(buffer.readable());
  if (!extent) return failed(extent.error());
  if (!*extent) return std::nullopt;
  const auto whole = as_text(buffer.readable()).substr((*extent)->begin, (*extent)->end - (*extent)->begin);
  auto request = parse_request_head(whole);
  if (!request) return failed(std::move(request.error()));
  const auto framing = request_framing(request->headers, request->version);
  if (!framing) return failed(framing.error());
  Limits of_body = limits;
  if (body_limit && framing->kind != Framing::Kind::none) of_body.http_body_bytes = body_limit(*request);
  auto body = BodyReader::start(*framing, of_body);
  if (!body) return failed(std::move(body.error()));
  buffer.consume((*extent)->end);
  if (body->done()) return deliver(std::move(*request));
  const bool wants_continue = expects_continue(*request) && buffer.empty();
  phase = AwaitingBody{std::move(*request), std::move(*body), now, now + limits.http_head_time};
  if (wants_continue) return ContinueEvent{};
  return step(std::get<AwaitingBody>(phase));
}

std::optional<RequestReaderEvent> RequestReader::State::step(AwaitingBody& body) {
  const auto read = body.body.receive(buffer.readable());
  if (!read) return failed(read.error());
  buffer.consume(*read);
  if (!body.body.done()) {
    body.received_bytes += *read;
    body.deadline = body.began + time_for(body.received_bytes, limits);
    buffer.release_if_empty();
    return std::nullopt;
  }
  body.request.body = body.body.take();
  return deliver(std::move(body.request));
}

std::optional<RequestReaderEvent> RequestReader::State::deliver(Request request) {
  buffer.release_if_empty();
  RequestEvent event{std::move(request)};  // before its phase goes away
  phase = Delivered{};
  return event;
}

RequestReader::RequestReader(const Limits& limits, TimePoint now)
    : state_(std::make_unique<State>(limits, Buffer(), now)) {}
RequestReader::RequestReader(const Limits& limits, BufferPool& pool, TimePoint now)
    : state_(std::make_unique<State>(limits, Buffer(pool), now)) {}
RequestReader::RequestReader(RequestReader&&) noexcept = default;
RequestReader& RequestReader::operator=(RequestReader&&) noexcept = default;
RequestReader::~RequestReader() = default;

void RequestReader::limit_bodies(std::function<std::size_t(const Request&)> limit_bytes) {
  state_->body_limit = std::move(limit_bytes);
}

void RequestReader::receive(Bytes in, TimePoint now) {
  if (in.empty() || std::holds_alternative<Ended>(state_->phase)) return;
  state_->now = now;
  state_->buffer.append(in);
  auto* head = std::get_if<AwaitingHead>(&state_->phase);
  if (head == nullptr || head->begun) return;
  head->begun = true;
  // The first request's time runs since the connection was ready: a client that says nothing gains nothing by it.
  if (!head->first) head->deadline = now + state_->limits.http_head_time;
}

void RequestReader::receive_end() {
  if (std::holds_alternative<Delivered>(state_->phase) || std::holds_alternative<Ended>(state_->phase)) return;
  if (state_->idle()) return state_->end_with(IdleEndEvent{});
  state_->end_with(RequestFailedEvent{{Errc::unexpected_eof, "the stream ended inside a request"}});
}

std::optional<RequestReaderEvent> RequestReader::next_event() {
  return std::visit([this](auto& phase) { return state_->step(phase); }, state_->phase);
}

void RequestReader::start_next(TimePoint now) {
  FAIRLEAD_ASSERT(std::holds_alternative<Delivered>(state_->phase));
  const bool begun = !state_->buffer.empty();
  const auto& limits = state_->limits;
  state_->now = now;
  state_->phase =
      AwaitingHead{HeadScanner(limits), now + (begun ? limits.http_head_time : limits.http_idle_time), begun, false};
}

std::optional<TimePoint> RequestReader::deadline() const {
  if (const auto* head = std::get_if<AwaitingHead>(&state_->phase)) return head->deadline;
  if (const auto* body = std::get_if<AwaitingBody>(&state_->phase)) return body->deadline;
  return std::nullopt;
}

void RequestReader::on_deadline(TimePoint now) {
  const auto due = deadline();
  if (!due || now < *due) return;
  if (state_->idle()) return state_->end_with(IdleEndEvent{});
  state_->end_with(RequestFailedEvent{{Errc::http_timeout, "the request did not arrive in time"}});
}

std::size_t RequestReader::body_bytes() const noexcept {
  const auto* body = std::get_if<AwaitingBody>(&state_->phase);
  return body != nullptr ? body->received_bytes : 0;
}

Bytes RequestReader::leftover() const { return state_->buffer.readable(); }

Buffer RequestReader::take_leftover() {
  state_->phase = Ended{};
  return std::move(state_->buffer);
}

}  // namespace fairlead::http1

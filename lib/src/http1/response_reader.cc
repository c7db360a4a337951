// SPDX-License-Identifier: Apache-2.0
#include "http1/response_reader.h"

#include "http1/body_reader.h"
#include "http1/head_parser.h"
#include "http1/head_scanner.h"
#include "text/tokens.h"

#include <algorithm>
#include <utility>

namespace fairlead::http1 {
namespace {

// Interim responses before the final one; past it the server only wants to keep us busy.
constexpr int max_interim_responses = 16;

struct AwaitingHead {
  HeadScanner scanner;
};
struct AwaitingBody {
  ResponseEvent event;
  BodyReader body;
};
struct Ended {
  std::optional<ResponseReaderEvent> last;
};
using Phase = std::variant<AwaitingHead, AwaitingBody, Ended>;

bool names(const Headers& headers, std::string_view option) {
  const auto fields = headers.all("Connection");
  return std::ranges::any_of(fields, [&](auto value) { return text::list_contains(value, option); });
}

// RFC 9112 9.3, and a body that only the end of the stream ends.
bool stays_open(const ResponseHead& head, const Framing& framing) {
  if (framing.kind == Framing::Kind::until_end || names(head.headers, "close")) return false;
  return head.version == HttpVersion::http_1_1 || names(head.headers, "keep-alive");
}

}  // namespace

struct ResponseReader::State {
  State(const Limits& of_connection, Body wanted, TimePoint until)
      : limits(of_connection), body(wanted), deadline(until), phase(AwaitingHead{HeadScanner(limits)}) {}

  std::optional<ResponseReaderEvent> step(AwaitingHead& awaiting);
  std::optional<ResponseReaderEvent> step(AwaitingBody& reading);
  static std::optional<ResponseReaderEvent> step(Ended& ended) { return std::exchange(ended.last, std::nullopt); }

  std::optional<ResponseReaderEvent> read_final(ResponseHead head);
  std::optional<ResponseReaderEvent> pass_over_interim();
  ResponseReaderEvent ended_with(ResponseReaderEvent event) {
    phase = Ended{};
    return event;
  }
  ResponseReaderEvent failed(Error error) { return ended_with(ResponseFailedEvent{std::move(error)}); }
  void end_with(ResponseReaderEvent event) { phase = Ended{std::move(event)}; }

  const Limits& limits;
  Body body;
  TimePoint deadline;
  Buffer buffer;
  int interim = 0;
  Phase phase;
};

std::optional<ResponseReaderEvent> ResponseReader::State::step(AwaitingHead& awaiting) {
  const auto extent = awaiting.scanner.scan(buffer.readable());
  if (!extent) return failed(extent.error());
  if (!*extent) return std::nullopt;
  const auto whole = as_text(buffer.readable()).substr((*extent)->begin, (*extent)->end - (*extent)->begin);
  auto head = parse_response_head(whole);
  if (!head) return failed(std::move(head.error()));
  buffer.consume((*extent)->end);
  // RFC 9110 15.2: a client "MUST be able to parse one or more 1xx responses received prior to a final response"; 101
  // is final for HTTP, another protocol follows it.
  if (head->status < 200 && head->status != 101) return pass_over_interim();
  return read_final(std::move(*head));
}

std::optional<ResponseReaderEvent> ResponseReader::State::pass_over_interim() {
  if (++interim > max_interim_responses) return failed({Errc::http_malformed, "too many interim responses"});
  phase = AwaitingHead{HeadScanner(limits)};
  return step(std::get<AwaitingHead>(phase));
}

std::optional<ResponseReaderEvent> ResponseReader::State::read_final(ResponseHead head) {
  const auto framing = response_framing(head.status, head.headers, head.version);
  if (!framing) return failed(framing.error());
  ResponseEvent event;
  event.keep_alive = stays_open(head, *framing);
  event.version = head.version;
  event.response.status = head.status;
  event.response.headers = std::move(head.headers);
  if (body == Body::skip) return ended_with(std::move(event));
  auto reader = BodyReader::start(*framing, limits);
  if (!reader) return failed(std::move(reader.error()));
  phase = AwaitingBody{std::move(event), std::move(*reader)};
  return step(std::get<AwaitingBody>(phase));
}

std::optional<ResponseReaderEvent> ResponseReader::State::step(AwaitingBody& reading) {
  const auto read = reading.body.receive(buffer.readable());
  if (!read) return failed(read.error());
  buffer.consume(*read);
  if (!reading.body.done()) return std::nullopt;
  ResponseEvent event = std::move(reading.event);
  event.response.body = reading.body.take();
  return ended_with(std::move(event));
}

ResponseReader::ResponseReader(const Limits& limits, Body body, TimePoint deadline)
    : state_(std::make_unique<State>(limits, body, deadline)) {}
ResponseReader::ResponseReader(ResponseReader&&) noexcept = default;
ResponseReader& ResponseReader::operator=(ResponseReader&&) noexcept = default;
ResponseReader::~ResponseReader() = default;

// Bytes behind the response are kept: after a 101 they are the WebSocket's.
void ResponseReader::receive(Bytes in, TimePoint /*now*/) { state_->buffer.append(in); }

void ResponseReader::receive_end() {
  if (std::holds_alternative<Ended>(state_->phase)) return;
  if (auto* reading = std::get_if<AwaitingBody>(&state_->phase)) {
    reading->body.receive_end();
    if (reading->body.done()) return;  // next_event() delivers it
  }
  state_->end_with(ResponseFailedEvent{{Errc::unexpected_eof, "the stream ended inside a response"}});
}

std::optional<ResponseReaderEvent> ResponseReader::next_event() {
  return std::visit([this](auto& phase) { return state_->step(phase); }, state_->phase);
}

std::optional<TimePoint> ResponseReader::deadline() const {
  if (std::holds_alternative<Ended>(state_->phase)) return std::nullopt;
  return state_->deadline;
}

void ResponseReader::on_deadline(TimePoint now) {
  if (std::holds_alternative<Ended>(state_->phase) || now < state_->deadline) return;
  state_->end_with(ResponseFailedEvent{{Errc::http_timeout, "the response did not arrive in time"}});
}

Bytes ResponseReader::leftover() const { return state_->buffer.readable(); }

Buffer ResponseReader::take_leftover() {
  state_->phase = Ended{};
  return std::move(state_->buffer);
}

}  // namespace fairlead::http1

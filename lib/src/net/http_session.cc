// SPDX-License-Identifier: Apache-2.0
#include "net/http_session.h"

#include "http1/errors.h"
#include "net/log_text.h"
#include "net/open_route.h"
#include "net/server_core.h"
#include "net/thrown.h"
#include "ws/origin.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace fairlead::net {
namespace {

// How long the rest of a request is read and discarded behind a final answer, so that a reset cannot overtake it.
constexpr std::chrono::seconds linger_after_answer{1};
constexpr std::size_t file_piece_bytes = std::size_t{64} * 1024;

// Of an answer behind which the connection ends.
http1::ResponseContext last_answer_to(const Request& request) {
  http1::ResponseContext context = http1::context_of(request);
  context.keep_alive = false;
  return context;
}

// What a client gets for an exception of the application.
Response internal_error() { return Response::text(500, "Internal Server Error\n"); }

}  // namespace

HttpSession::HttpSession(ServerCore& core, ServerLoop& loop, std::unique_ptr<Stream> stream, PeerAddress peer)
    : core_(core), loop_(loop), stream_(std::move(stream)), peer_(std::move(peer)), out_(loop.context->buffers) {
  stream_->set_user(this);
}

// The loop goes, or the stream has gone: whoever still holds a streamed answer learns that it has ended.
HttpSession::~HttpSession() { unlink_stream()(); }

void HttpSession::start() {
  arm(io::Loop::now() + core_.options().limits.tls_handshake_time);
  stream_->start();
}

void HttpSession::drain() {
  close_after_answer_ = true;
  if (std::holds_alternative<Reading>(phase_) || std::holds_alternative<Securing>(phase_)) end(linger_after_answer);
}

// ── The stream ──────────────────────────────────────────────────────────────────────────────────────────────────────

void HttpSession::on_secured() {
  if (stream_->encrypted()) {
    tls_ = loop_.context->intern(stream_->tls_info());
    loop_.context->counters.tls_handshakes.add();
    if (tls_->resumed) loop_.context->counters.tls_resumed.add();
  }
  phase_ = Reading{};
  reader_.emplace(core_.options().limits, loop_.context->buffers, io::Loop::now());
  reader_->limit_bodies([this](const Request& request) { return body_limit(request); });
  arm(reader_->deadline());
}

void HttpSession::on_data(MutableBytes data) {
  const auto alive = shared_from_this();
  reader_->receive(data, io::Loop::now());
  read_requests();
  if (std::holds_alternative<Reading>(phase_)) watch_body();
  // Read on during a streamed answer to see the peer's end. A request that comes instead waits; who sends more than
  // that would hide its own end behind it.
  if (std::holds_alternative<Streaming>(phase_) &&
      reader_->leftover().size() > core_.options().limits.http_head_bytes) {
    cut_stream();
  }
}

void HttpSession::on_stream_end(const Error* error) {
  const auto alive = shared_from_this();
  if (std::holds_alternative<Streaming>(phase_)) return cut_stream();
  if (std::holds_alternative<Securing>(phase_)) {
    loop_.context->counters.tls_failed.add();
    count_failure(error != nullptr ? *error : Error{Errc::unexpected_eof, "the peer ended the TLS handshake"}, nullptr);
  }
  if (std::holds_alternative<Reading>(phase_)) {
    reader_->receive_end();
    read_requests();
  }
  if (!std::holds_alternative<Answering>(phase_) && !std::holds_alternative<Deciding>(phase_)) {
    return end(linger_after_answer);
  }
  // The client ended its direction and may still read the answer that is on its way.
  close_after_answer_ = true;
  if (error != nullptr) end(linger_after_answer);
}

void HttpSession::on_secure_failed(const Error& error) {
  const auto alive = shared_from_this();
  loop_.context->counters.tls_failed.add();
  count_failure(error, nullptr);
  if (error.code == Errc::tls_plaintext_received) {
    stream_->send_in_the_clear(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 40\r\nConnection: close\r\n\r\n"
        "This port speaks TLS only: use https://\n");
  }
  end(linger_after_answer);
}

void HttpSession::on_stream_gone() {
  count_body(0);
  loop_.forget(*this);
}

void HttpSession::on_timer(TimePoint now) {
  const auto alive = shared_from_this();
  if (std::holds_alternative<Securing>(phase_)) {
    // The limit is for a slow peer: time in which its bytes wait for us is not its own.
    constexpr Duration look_again = std::chrono::milliseconds(100);
    if (stream_->waits_for_handshake_step())
      return arm(now + std::min<Duration>(core_.options().limits.tls_handshake_time, look_again));
    if (const Duration ours = stream_->take_time_in_line(); ours > ours.zero()) return arm(now + ours);
    loop_.context->counters.tls_failed.add();
    count_failure({Errc::tls_timeout, "the TLS handshake took too long"}, nullptr);
    return end(Duration::zero());
  }
  if (const auto* deciding = std::get_if<Deciding>(&phase_)) {
    const Error late{Errc::http_timeout, "the application did not answer in time"};
    count_failure(late, nullptr);
    return answer(Response::text(503, "Service Unavailable\n"), http1::ResponseContext(deciding->context));
  }
  if (std::holds_alternative<Answering>(phase_)) {
    const auto stalled = stream_->stalled_since();
    const auto limit = core_.options().limits.write_stall_time;
    if (!stalled || now < *stalled + limit) return arm((stalled ? *stalled : now) + limit);
    count_failure({Errc::timed_out, "the peer takes no answer"}, nullptr);
    return end(Duration::zero());
  }
  if (std::holds_alternative<Streaming>(phase_)) return on_stream_timer(now);
  if (!std::holds_alternative<Reading>(phase_)) return;
  reader_->on_deadline(now);
  read_requests();
}

void HttpSession::arm(std::optional<TimePoint> at) {
  if (at) {
    loop_.loop->set_timer(*this, *at);
  } else {
    loop_.loop->cancel_timer(*this);
  }
}

// Whatever it ends in the middle of: nobody may go on with a streamed answer. Its owner is told, and may be the last to
// know of the session.
void HttpSession::end(Duration linger) {
  const auto tell = unlink_stream();
  count_body(0);
  phase_ = Ending{};
  arm(std::nullopt);
  stream_->shutdown(linger);
  tell();
}

// ── Requests ────────────────────────────────────────────────────────────────────────────────────────────────────────

void HttpSession::read_requests() {
  while (std::holds_alternative<Reading>(phase_)) {
    auto event = reader_->next_event();
    if (!event) {
      stream_->resume();  // not while a pipelined request waits here: what comes behind it would only be kept
      break;
    }
    if (auto* request = std::get_if<http1::RequestEvent>(&*event)) {
      on_request(std::move(request->request));
      break;  // the next one has another turn, see `answered`
    }
    if (const auto* failed = std::get_if<http1::RequestFailedEvent>(&*event)) {
      on_request_failed(failed->error);
    } else if (std::holds_alternative<http1::IdleEndEvent>(*event)) {
      end(linger_after_answer);
    } else if (stream_->has_room()) {
      const std::array pieces{as_bytes(http1::continue_response)};
      stream_->write(pieces);
    }
  }
  if (std::holds_alternative<Reading>(phase_)) arm(reader_->deadline());
}

// A body is read before anybody knows who sends it: those of all together may not take the memory of the others.
void HttpSession::watch_body() {
  const std::size_t before = body_bytes_;
  count_body(reader_->body_bytes());
  if (body_bytes_ > before && !core_.has_room_for_bodies()) {
    on_request_failed({Errc::memory_budget_exceeded, "too much is held of the bodies of requests"});
  }
}

void HttpSession::count_body(std::size_t bytes) noexcept {
  Count& all = loop_.context->counters.body_bytes;
  all.subtract(std::exchange(body_bytes_, bytes));
  all.add(bytes);
}

void HttpSession::on_request_failed(const Error& error) {
  count_failure(error, nullptr);
  answer(http1::error_response(error), {});
}

void HttpSession::on_request(Request request) {
  loop_.context->counters.http_requests.add();
  request.peer = peer_;
  request.tls = tls_;
  auto shared = std::make_shared<const Request>(std::move(request));
  if (ws::is_upgrade(*shared)) return upgrade(std::move(shared));
  if (auto allowed = may_serve(*shared); !allowed) {
    count_failure(allowed.error(), shared.get());
    return answer(http1::error_response(allowed.error()), last_answer_to(*shared));
  }
  serve(std::move(shared));
}

Result<void> HttpSession::may_serve(const Request& request) const {
  if (core_.over_memory_budget()) return fail(Errc::memory_budget_exceeded, "the server is short of memory");
  return ws::check_host(request, core_.options().origin);
}

void HttpSession::serve(std::shared_ptr<const Request> request) {
  const auto* route = core_.routes().http.find(request->path);
  stream_limit_bytes_ = core_.options().limits.outgoing_queue_bytes;
  if (route != nullptr) stream_limit_bytes_ = (*route)->options.outgoing_queue_bytes.value_or(stream_limit_bytes_);
  if (route != nullptr && (*route)->async_handler) return serve_later(**route, std::move(request));
  answer(find_answer(*request), http1::context_of(*request));
}

std::size_t HttpSession::body_limit(const Request& request) const {
  const std::size_t usual = core_.options().limits.http_body_bytes;
  const auto* route = core_.routes().http.find(request.path);
  return route != nullptr ? (*route)->options.body_bytes.value_or(usual) : usual;
}

Response HttpSession::find_answer(const Request& request) {
  if (const auto* route = core_.routes().http.find(request.path)) {
    try {
      return (*route)->handler(request);
    } catch (...) {
      count_thrown("an HTTP handler", &request);
      return internal_error();
    }
  }
  if (core_.routes().websockets.find(request.path) != nullptr) {
    return http1::error_response({Errc::handshake_bad_upgrade, "this is a WebSocket endpoint"});
  }
  if (core_.routes().files) return core_.routes().files->serve(request);
  return http1::error_response({Errc::handshake_not_found, ""});
}

void HttpSession::serve_later(const HttpRoute& route, std::shared_ptr<const Request> request) {
  const std::uint64_t turn = begin_deciding(*request);
  const auto work = [](std::shared_ptr<HttpSession> self, const HttpRoute* of, std::shared_ptr<const Request> asked,
                       std::uint64_t in_turn) -> Task<> {
    Response response = internal_error();
    try {
      response = co_await of->async_handler(*asked);
    } catch (...) {  // the answer stays 500
      self->count_thrown("an HTTP handler", asked.get());
    }
    if (self->still_deciding(in_turn)) self->answer(std::move(response), http1::context_of(*asked));
  };
  loop_.context->spawned.start(work(shared_from_this(), &route, std::move(request), turn));
}

std::uint64_t HttpSession::begin_deciding(const Request& request) {
  phase_ = Deciding{++turn_, last_answer_to(request)};
  stream_->pause();
  arm(io::Loop::now() + core_.options().limits.accept_time);
  return turn_;
}

bool HttpSession::still_deciding(std::uint64_t turn) const {
  const auto* deciding = std::get_if<Deciding>(&phase_);
  return deciding != nullptr && deciding->turn == turn;
}

// ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

void HttpSession::answer(Response response, const http1::ResponseContext& context) {
  const auto alive = shared_from_this();
  count_body(0);
  Answering answering{context, std::move(response.file), 0};
  if (close_after_answer_) answering.context.keep_alive = false;
  // HTTP/1.0 knows no chunks: such a body ends with its connection.
  const bool streamed = response.body_stream && http1::has_body(response, answering.context);
  if (streamed && answering.context.version == HttpVersion::http_1_0) answering.context.keep_alive = false;
  answering.context.date = std::chrono::system_clock::now();
  // HSTS (RFC 6797 7.2): only over TLS.
  if (tls_ != nullptr && !response.headers.contains("Strict-Transport-Security")) {
    response.headers.add("Strict-Transport-Security", hsts_value);
  }
  response.file = answering.file;
  http1::write_response(response, answering.context, out_);
  if (streamed) return begin_stream(response.body_stream, answering.context);
  if (!http1::has_body(response, answering.context)) answering.file.reset();
  phase_ = std::move(answering);
  stream_->pause();
  arm(io::Loop::now() + core_.options().limits.write_stall_time);
  write_answer();
}

void HttpSession::on_room() {
  const auto alive = shared_from_this();
  if (stream_->broken()) return end(Duration::zero());
  if (std::holds_alternative<Answering>(phase_)) return write_answer();
  if (std::holds_alternative<Streaming>(phase_)) write_stream();
}

void HttpSession::write_answer() {
  auto& answering = std::get<Answering>(phase_);
  while (stream_->has_room()) {
    if (out_.empty() && !read_file(answering)) {
      if (stream_->flush()) answered();
      return;  // or when there is room
    }
    const std::array pieces{Bytes(out_.readable())};
    out_.consume(stream_->write(pieces));
  }
}

// The next piece of the file into `out_`; false when there is no more.
bool HttpSession::read_file(Answering& answering) {
  if (!answering.file) return false;
  const std::uint64_t left = answering.file->length_bytes() - answering.file_sent;
  if (left == 0) return false;
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, file_piece_bytes));
  const MutableBytes space = out_.prepare(wanted).first(wanted);
  const auto at = static_cast<off_t>(answering.file->offset() + answering.file_sent);
  const ssize_t got = ::pread(answering.file->descriptor(), space.data(), wanted, at);
  if (got <= 0) {
    // The file became shorter than its announced length: the client must see that the answer is not whole.
    answering.context.keep_alive = false;
    return false;
  }
  out_.commit(static_cast<std::size_t>(got));
  answering.file_sent += static_cast<std::uint64_t>(got);
  return true;
}

void HttpSession::answered() {
  out_.release_if_empty();
  const bool keep_alive = std::get<Answering>(phase_).context.keep_alive && !close_after_answer_;
  if (!keep_alive) return end(linger_after_answer);
  phase_ = Reading{};
  reader_->start_next(io::Loop::now());
  arm(reader_->deadline());
  if (reader_->leftover().empty()) return stream_->resume();
  // A pipelined request. Each has a turn of the loop: a long pipeline keeps nobody else waiting.
  loop_.loop->post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->read_requests();
  });
}

void HttpSession::refuse(const Error& error, const Request& request) {
  loop_.context->counters.upgrades_refused.add();
  count_failure(error, &request);
  answer(http1::error_response(error), {});
}

void HttpSession::count_failure(const Error& error, const Request* request) {
  loop_.context->counters.failed(error.code);
  core_.log(LogLevel::info, "refused" + whose(request) + " " + to_string(error));
}

void HttpSession::count_thrown(std::string_view who, const Request* request) {
  const Error error = thrown_by(who).for_log(core_.options().dangerously_log_exceptions);
  loop_.context->counters.failed(error.code);
  core_.log(LogLevel::error, "failed" + whose(request) + " " + to_string(error));
}

std::string HttpSession::whose(const Request* request) const {
  std::string text = " peer=" + to_string(peer_);
  if (request != nullptr) append_logged(text.append(" path="), request->path);
  return text;
}

// ── The upgrade ─────────────────────────────────────────────────────────────────────────────────────────────────────

void HttpSession::upgrade(std::shared_ptr<const Request> request) {
  const auto* route = core_.routes().websockets.find(request->path);
  if (route == nullptr) return refuse({Errc::handshake_not_found, ""}, *request);
  auto offer = ws::read_offer(*request);
  if (!offer) return refuse(offer.error(), *request);
  if (auto allowed = may_upgrade(**route, *request); !allowed) return refuse(allowed.error(), *request);
  decide(*route, std::move(request), std::move(*offer));
}

Result<void> HttpSession::may_upgrade(const WebSocketRoute& route, const Request& request) const {
  if (core_.draining()) return fail(Errc::draining, "the server is going away");
  if (core_.over_memory_budget()) return fail(Errc::memory_budget_exceeded, "the server is short of memory");
  const OriginPolicy& policy = route.options.origin ? *route.options.origin : core_.options().origin;
  return ws::check_origin(request, policy);
}

void HttpSession::decide(std::shared_ptr<WebSocketRoute> route, std::shared_ptr<const Request> request,
                         ws::Offer offer) {
  if (!route->options.accept_async) {
    Decision decision;
    if (route->options.accept) {
      try {
        decision = route->options.accept(*request);
      } catch (...) {
        count_thrown("an accept hook", request.get());
        decision = Decision::refuse(internal_error());
      }
    }
    return decided(route, request, offer, std::move(decision));
  }
  const std::uint64_t turn = begin_deciding(*request);
  const auto work = [](std::shared_ptr<HttpSession> self, std::shared_ptr<WebSocketRoute> of,
                       std::shared_ptr<const Request> asked, ws::Offer offered, std::uint64_t in_turn) -> Task<> {
    Decision decision = Decision::refuse(internal_error());
    try {
      decision = co_await of->options.accept_async(*asked);
    } catch (...) {  // the decision stays 500
      self->count_thrown("an accept hook", asked.get());
    }
    if (self->still_deciding(in_turn)) self->decided(of, asked, offered, std::move(decision));
  };
  loop_.context->spawned.start(work(shared_from_this(), std::move(route), std::move(request), std::move(offer), turn));
}

void HttpSession::decided(const std::shared_ptr<WebSocketRoute>& route, const std::shared_ptr<const Request>& request,
                          const ws::Offer& offer, Decision decision) {
  // It may have begun while the application thought: nobody would close what is opened now.
  if (core_.draining()) return refuse({Errc::draining, "the server is going away"}, *request);
  if (!decision.accepted) {
    loop_.context->counters.upgrades_refused.add();
    count_failure({Errc::handshake_refused, "by the application, status " + std::to_string(decision.response.status)},
                  request.get());
    return answer(std::move(decision.response), {});
  }
  ws::Choice choice{
      .subprotocol = decision.subprotocol, .deflate = std::nullopt, .headers = std::move(decision.headers)};
  if (choice.subprotocol.empty()) {
    const auto& ours = route->options.subprotocols;
    const auto both = std::ranges::find_if(ours, [&](const std::string& name) {
      return std::ranges::find(offer.subprotocols, name) != offer.subprotocols.end();
    });
    if (both != ours.end()) choice.subprotocol = *both;
    if (both == ours.end() && route->options.subprotocol_required) {
      return refuse({Errc::handshake_bad_subprotocol, "none of the endpoint's subprotocols was offered"}, *request);
    }
  }
  if (route->options.compression.enabled) choice.deflate = route->options.compression.deflate;
  auto acceptance = ws::accept_offer(offer, choice);
  if (!acceptance) return refuse({Errc::system, acceptance.error().detail}, *request);
  open_channel(route, request, std::move(*acceptance), std::move(decision));
}

void HttpSession::open_channel(const std::shared_ptr<WebSocketRoute>& route,
                               const std::shared_ptr<const Request>& request, ws::Acceptance acceptance,
                               Decision decision) {
  const auto alive = shared_from_this();
  if (!stream_->has_room()) return end(linger_after_answer);  // the peer has gone meanwhile
  loop_.context->counters.upgrades.add();
  http1::write_response(acceptance.response, http1::context_of(*request), out_);
  const std::array pieces{Bytes(out_.readable())};
  out_.consume(stream_->write(pieces));
  Buffer leftover = reader_->take_leftover();
  count_body(0);
  arm(std::nullopt);
  phase_ = Ending{};
  Opened opened{.request = KeptRequest(*request, KeptRequest::Fields::without_handshake),
                .agreed = Opened::named(std::move(acceptance.subprotocol),
                                        acceptance.response.headers.find("Sec-WebSocket-Extensions").value_or("")),
                .deflate = acceptance.deflate,
                .data = std::move(decision.data)};
  auto& context = *loop_.context;
  auto channel = Channel::create(context, std::move(stream_), route->settings, std::move(opened));
  loop_.forget(*this);
  open_route(context, *route, channel, leftover.readable());
}

}  // namespace fairlead::net

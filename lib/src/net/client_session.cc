// SPDX-License-Identifier: Apache-2.0
#include "net/client_session.h"

#include "http1/writer.h"

#include <array>
#include <chrono>
#include <string>
#include <utility>

namespace fairlead::net {
namespace {
// After a refusal nothing is expected of the server; its own goodbye is waited for this long.
constexpr std::chrono::seconds linger_after_refusal{1};
}  // namespace

ClientSession::ClientSession(std::unique_ptr<Stream> stream, ws::ClientHandshake handshake,
                             const ClientOptions& options, std::shared_ptr<const ChannelSettings> settings, Done done)
    : stream_(std::move(stream)),
      handshake_(std::move(handshake)),
      times_(options.times),
      limits_(options.limits),
      settings_(std::move(settings)),
      done_(std::move(done)) {
  stream_->set_user(this);
}

void ClientSession::start() {
  const auto alive = shared_from_this();
  stream_->context().loop.set_timer(*this, io::Loop::now() + times_.tls);
  stream_->start();
}

void ClientSession::abandon() {
  done_ = nullptr;
  if (stream_ == nullptr) return;
  stream_->context().loop.cancel_timer(*this);
  stream_->abort();
}

void ClientSession::on_secured() {
  const auto alive = shared_from_this();
  secured_ = true;
  const TimePoint limit = io::Loop::now() + times_.handshake;
  reader_.emplace(limits_, http1::ResponseReader::Body::skip, limit);
  stream_->context().loop.set_timer(*this, limit);
  Buffer head(stream_->context().buffers);
  if (auto written = http1::write_request(handshake_.request(), head); !written) return fail({written.error()});
  const std::array pieces{Bytes(head.readable())};
  // The first bytes on a fresh connection: what the socket does not take is kept by the stream.
  if (stream_->has_room()) stream_->write(pieces);
}

void ClientSession::on_data(MutableBytes data) {
  const auto alive = shared_from_this();
  if (!done_) return;
  reader_->receive(data, io::Loop::now());
  read_response();
}

void ClientSession::read_response() {
  auto event = reader_->next_event();
  if (!event) return;
  if (const auto* failed = std::get_if<http1::ResponseFailedEvent>(&*event)) return fail({failed->error});
  const auto& answer = std::get<http1::ResponseEvent>(*event);
  check(answer.response, answer.version);
}

void ClientSession::check(const Response& response, HttpVersion version) {
  auto agreement = handshake_.check_response(response, version);
  if (!agreement) {
    ConnectError error{agreement.error()};
    error.status = response.status;
    if (auto refusal = ws::read_refusal(response, std::chrono::system_clock::now())) {
      error.retry_after = refusal->retry_after;
      error.location = std::move(refusal->location);
    }
    return fail(std::move(error));
  }
  LoopContext& context = stream_->context();
  context.loop.cancel_timer(*this);
  leftover_ = reader_->take_leftover();
  Opened opened{.request = KeptRequest(handshake_.request(), KeptRequest::Fields::all),
                .agreed = Opened::named(std::move(agreement->subprotocol),
                                        response.headers.find("Sec-WebSocket-Extensions").value_or("")),
                .deflate = agreement->deflate,
                .data = {}};
  // The rest of this call is kept by the stream until the channel has been opened.
  stream_->pause();
  auto channel = Channel::create(context, std::move(stream_), settings_, std::move(opened));
  std::exchange(done_, nullptr)(std::move(channel));
}

void ClientSession::fail(ConnectError error) {
  const auto alive = shared_from_this();
  stream_->context().loop.cancel_timer(*this);
  stream_->context().lingering.emplace(this, alive);
  stream_->shutdown(linger_after_refusal);
  if (done_) std::exchange(done_, nullptr)(std::unexpected(std::move(error)));
}

void ClientSession::on_stream_end(const Error* error) {
  const auto alive = shared_from_this();
  if (reader_ && done_) {
    reader_->receive_end();
    read_response();
    if (!done_) return;
  }
  fail({error != nullptr ? *error : Error{Errc::unexpected_eof, "the server ended the connection before it answered"}});
}

void ClientSession::on_secure_failed(const Error& error) { fail({error}); }

void ClientSession::on_stream_gone() {
  const auto last = shared_from_this();
  stream_->context().lingering.erase(this);
  stream_.reset();
}

void ClientSession::on_timer(TimePoint /*now*/) {
  fail({secured_ ? Error{Errc::http_timeout, "the server did not answer the opening handshake in time"}
                 : Error{Errc::tls_timeout, "the TLS handshake took too long"}});
}

}  // namespace fairlead::net

// SPDX-License-Identifier: Apache-2.0
// The public handshakes: HTTP/1.1 reader and writer, the rules of RFC 6455 4, and a connection at the end.
#include "base/assert.h"
#include "base/finite.h"
#include "http1/errors.h"
#include "http1/request_reader.h"
#include "http1/response_reader.h"
#include "http1/writer.h"
#include "ws/client_handshake.h"
#include "ws/protocol.h"
#include "ws/server_handshake.h"

#include <utility>

namespace fairlead::protocol {
namespace {

std::optional<DeflateOptions> wanted(const Compression& compression) {
  if (!compression.enabled) return std::nullopt;
  return compression.deflate;
}

Options with_finite_times(Options options) {
  options.limits = finite(options.limits);
  return options;
}

// What came behind the head belongs to the connection.
Channel open(Role role, Context& context, const Options& options, std::optional<DeflateAgreement> deflate,
             std::string subprotocol, Buffer early, TimePoint now) {
  Channel channel{Connection(role, context, options, deflate, now), std::move(subprotocol)};
  channel.connection.receive(early.readable(), now);
  channel.connection.retain();
  return channel;
}

}  // namespace

// ── Server ──────────────────────────────────────────────────────────────────────────────────────────────────────────

struct ServerHandshake::State {
  State(Context& lent, const Options& chosen, TimePoint now)
      : context(lent), options(with_finite_times(chosen)), reader(options.limits, lent.parts().buffers, now) {}

  [[nodiscard]] Result<Request> judge(Request request);
  void answer(const Response& response);

  Context& context;
  Options options;
  http1::RequestReader reader;
  std::optional<ws::Offer> offer;  // while a request waits for its answer
  Buffer output;
};

ServerHandshake::ServerHandshake(Context& context, const Options& options, TimePoint now)
    : state_(std::make_unique<State>(context, options, now)) {}
ServerHandshake::ServerHandshake(ServerHandshake&& other) noexcept = default;
ServerHandshake& ServerHandshake::operator=(ServerHandshake&& other) noexcept = default;
ServerHandshake::~ServerHandshake() = default;

void ServerHandshake::receive(Bytes in, TimePoint now) { state_->reader.receive(in, now); }

std::optional<Result<Request>> ServerHandshake::next_request() {
  while (auto event = state_->reader.next_event()) {
    if (auto* request = std::get_if<http1::RequestEvent>(&*event)) return state_->judge(std::move(request->request));
    if (std::holds_alternative<http1::IdleEndEvent>(*event)) return fail(Errc::closed, "the client went away");
    if (auto* failed = std::get_if<http1::RequestFailedEvent>(&*event)) {
      state_->answer(http1::error_response(failed->error));
      return std::unexpected(std::move(failed->error));
    }
    state_->output.append(as_bytes(http1::continue_response));
  }
  return std::nullopt;
}

Result<Request> ServerHandshake::State::judge(Request request) {
  auto read = ws::read_offer(request);
  if (!read) {
    answer(http1::error_response(read.error()));
    return std::unexpected(std::move(read.error()));
  }
  offer = std::move(*read);
  return request;
}

void ServerHandshake::State::answer(const Response& response) { http1::write_response(response, {}, output); }

Result<Channel> ServerHandshake::accept(const Choice& choice, TimePoint now) {
  if (!state_->offer) return fail(Errc::invalid_argument, "no request waits for an answer");
  const Options& options = state_->options;
  auto acceptance = ws::accept_offer(
      *state_->offer,
      {.subprotocol = choice.subprotocol, .deflate = wanted(options.compression), .headers = choice.headers});
  if (!acceptance) return std::unexpected(std::move(acceptance.error()));
  state_->answer(acceptance->response);
  state_->offer.reset();
  return open(Role::server, state_->context, options, acceptance->deflate, std::move(acceptance->subprotocol),
              state_->reader.take_leftover(), now);
}

void ServerHandshake::refuse(const Response& response) {
  state_->offer.reset();
  state_->answer(response);
}

Bytes ServerHandshake::output() const { return std::as_const(state_->output).readable(); }
void ServerHandshake::consume(std::size_t bytes) { state_->output.consume(bytes); }
std::optional<TimePoint> ServerHandshake::deadline() const { return state_->reader.deadline(); }
void ServerHandshake::on_deadline(TimePoint now) { state_->reader.on_deadline(now); }

// ── Client ──────────────────────────────────────────────────────────────────────────────────────────────────────────

struct ClientHandshake::State {
  State(Context& lent, const Options& chosen, ws::ClientHandshake started, TimePoint now)
      : context(lent),
        options(with_finite_times(chosen)),
        handshake(std::move(started)),
        reader(options.limits, http1::ResponseReader::Body::skip, now + options.limits.http_head_time) {}

  Context& context;
  Options options;
  ws::ClientHandshake handshake;
  http1::ResponseReader reader;
  Buffer output;
};

Result<ClientHandshake> ClientHandshake::start(Context& context, const Options& options, const Url& url,
                                               const Wish& wish, TimePoint now) {
  const ws::ClientHandshakeOptions core{.subprotocols = wish.subprotocols,
                                        .origin = wish.origin,
                                        .deflate = wanted(options.compression),
                                        .headers = wish.headers};
  auto started = ws::ClientHandshake::start(url, core, context.parts().entropy);
  if (!started) return std::unexpected(std::move(started.error()));
  auto state = std::make_unique<State>(context, options, std::move(*started), now);
  if (auto written = http1::write_request(state->handshake.request(), state->output); !written)
    return std::unexpected(std::move(written.error()));
  return ClientHandshake(std::move(state));
}

ClientHandshake::ClientHandshake(std::unique_ptr<State> state) : state_(std::move(state)) {}
ClientHandshake::ClientHandshake(ClientHandshake&& other) noexcept = default;
ClientHandshake& ClientHandshake::operator=(ClientHandshake&& other) noexcept = default;
ClientHandshake::~ClientHandshake() = default;

void ClientHandshake::receive(Bytes in, TimePoint now) { state_->reader.receive(in, now); }
void ClientHandshake::receive_end() { state_->reader.receive_end(); }

std::optional<Result<Channel>> ClientHandshake::next_channel(TimePoint now) {
  auto event = state_->reader.next_event();
  if (!event) return std::nullopt;
  if (auto* failed = std::get_if<http1::ResponseFailedEvent>(&*event)) return std::unexpected(std::move(failed->error));
  const auto& answer = std::get<http1::ResponseEvent>(*event);
  auto agreement = state_->handshake.check_response(answer.response, answer.version);
  if (!agreement) return std::unexpected(std::move(agreement.error()));
  return open(Role::client, state_->context, state_->options, agreement->deflate, std::move(agreement->subprotocol),
              state_->reader.take_leftover(), now);
}

Bytes ClientHandshake::output() const { return std::as_const(state_->output).readable(); }
void ClientHandshake::consume(std::size_t bytes) { state_->output.consume(bytes); }
std::optional<TimePoint> ClientHandshake::deadline() const { return state_->reader.deadline(); }
void ClientHandshake::on_deadline(TimePoint now) { state_->reader.on_deadline(now); }

}  // namespace fairlead::protocol

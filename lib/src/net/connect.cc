// SPDX-License-Identifier: Apache-2.0
// The client's way in: resolve, connect, secure, open.
#include "base/assert.h"
#include "io/dialer.h"
#include "net/client_contexts.h"
#include "net/client_session.h"
#include "net/finite_times.h"
#include "net/waiting.h"

#include <fairlead/client.h>
#include <fairlead/url.h>

#include <unistd.h>
#include <array>
#include <utility>

namespace fairlead {
namespace net {
namespace {

using Outcome = std::expected<std::shared_ptr<Channel>, ConnectError>;

std::shared_ptr<ChannelSettings> make_settings(const ClientOptions& options, bool chunks) {
  auto settings = std::make_shared<ChannelSettings>();
  settings->role = ws::Role::client;
  settings->ws.limits = fairlead::finite(options.limits);
  settings->ws.delivery = chunks ? ws::Delivery::chunks : ws::Delivery::messages;
  settings->ws.compress_from_bytes = options.compression.from_bytes;
  settings->ws.compression_level = options.compression.level;
  settings->ws.compressor =
      options.compression.deflate.send_context_takeover ? ws::CompressorUse::dedicated : ws::CompressorUse::shared;
  settings->record_per_message = options.record_per_message;
  settings->log = options.log;
  return settings;
}

// One attempt to connect. Lives on its loop until it has an outcome; whoever waits may call it off.
class Attempt final : public std::enable_shared_from_this<Attempt> {
 public:
  Attempt(LoopContext& context, ClientOptions options, std::shared_ptr<const ChannelSettings> settings,
          std::function<void(Outcome, Buffer)> done)
      : context_(context), options_(std::move(options)), settings_(std::move(settings)), done_(std::move(done)) {
    options_.times = finite(options_.times);
  }

  void start(const std::string& text) {
    const auto alive = shared_from_this();
    auto url = parse_url(text);
    if (!url) return finish({url.error()});
    url_ = std::move(*url);
    if (auto ready = prepare(); !ready) return finish({ready.error()});
    limit_.emplace([this] { call_off({Errc::timed_out, "the connection was not open in time"}); });
    context_.loop.set_timer(*limit_, io::Loop::now() + options_.times.total);
    dial();
  }

  void call_off(Error why) {
    const auto alive = shared_from_this();
    if (session_ != nullptr) session_->abandon();
    finish({std::move(why)});
  }

 private:
  Result<void> prepare() {
    if (!url_.is_websocket()) return fairlead::fail(Errc::bad_url, "the URL of a WebSocket begins with wss://");
    if (!url_.secure() && !options_.dangerously_allow_cleartext) {
      return fairlead::fail(Errc::bad_url, "ws:// is not encrypted and not allowed; use wss://");
    }
    ws::ClientHandshakeOptions wanted{.subprotocols = options_.subprotocols,
                                      .origin = options_.origin,
                                      .deflate = std::nullopt,
                                      .headers = options_.headers};
    if (options_.compression.enabled) wanted.deflate = options_.compression.deflate;
    auto handshake = ws::ClientHandshake::start(url_, wanted, context_.entropy);
    if (!handshake) return std::unexpected(handshake.error());
    handshake_ = std::move(*handshake);
    if (!url_.secure()) return {};
    auto tls = context_.clients->find(options_.tls);
    if (!tls) return std::unexpected(tls.error());
    tls_ = std::move(*tls);
    return {};
  }

  void dial() {
    const io::DialTimes times{
        .dns = options_.times.dns, .tcp = options_.times.tcp, .next_address = options_.times.next_address};
    auto connected = [weak = weak_from_this()](Result<int> descriptor) {
      if (const auto self = weak.lock()) return self->connected(std::move(descriptor));
      if (descriptor) ::close(*descriptor);
    };
    if (!options_.unix_path.empty()) {
      auto endpoint = io::Endpoint::unix_path(options_.unix_path);
      if (!endpoint) return finish({endpoint.error()});
      dialer_ = std::make_unique<io::Dialer>(context_.loop, *endpoint, times, std::move(connected));
      return;
    }
    std::optional<io::Endpoint> local;
    if (options_.local_address) {
      auto endpoint = io::Endpoint::ip(*options_.local_address, 0);
      if (!endpoint) return finish({endpoint.error()});
      local = *endpoint;
    }
    dialer_ = std::make_unique<io::Dialer>(context_.loop, url_.host, url_.port, times, local, std::move(connected));
  }

  void connected(Result<int> descriptor) {
    const auto alive = shared_from_this();
    if (!done_) {
      if (descriptor) ::close(*descriptor);
      return;
    }
    if (!descriptor) return finish({descriptor.error()});
    std::unique_ptr<tls::Engine> engine;
    if (tls_ != nullptr) {
      if (options_.tls.resume)
        ticket_ = std::make_shared<Ticket>(context_, tls_, url_.host + ":" + std::to_string(url_.port));
      engine = tls::make_engine(tls_, context_.tls, url_.host, ticket_ != nullptr ? ticket_->session : nullptr);
      engine->limit_messages(options_.limits.tls_messages_per_second);
    }
    auto stream = std::make_unique<Stream>(context_, *descriptor, std::move(engine));
    stream->attach(ticket_);
    session_ = std::make_shared<ClientSession>(std::move(stream), std::move(*handshake_), options_, settings_,
                                               [weak = weak_from_this()](Outcome outcome) {
                                                 if (const auto self = weak.lock()) self->opened(std::move(outcome));
                                               });
    session_->start();
  }

  void opened(Outcome outcome) {
    if (!outcome) return finish(std::move(outcome.error()));
    const auto alive = shared_from_this();
    context_.loop.cancel_timer(*limit_);
    std::exchange(done_, nullptr)(std::move(outcome), session_->take_leftover());
  }

  void finish(ConnectError error) {
    if (!done_) return;
    if (limit_) context_.loop.cancel_timer(*limit_);
    std::exchange(done_, nullptr)(std::unexpected(std::move(error)), Buffer());
  }

  // Goes back to the loop's store when the connection ends.
  struct Ticket {
    Ticket(LoopContext& owner, std::shared_ptr<const tls::ClientContext> of, std::string to)
        : context(owner),
          tls(std::move(of)),
          endpoint(std::move(to)),
          session(context.clients->take_session(*tls, endpoint)) {}
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    ~Ticket() { context.clients->give_back(*tls, endpoint, std::move(session)); }
    LoopContext& context;
    std::shared_ptr<const tls::ClientContext> tls;
    std::string endpoint;
    std::shared_ptr<tls::ClientSession> session;
  };

  LoopContext& context_;
  ClientOptions options_;
  std::shared_ptr<const ChannelSettings> settings_;
  std::function<void(Outcome, Buffer)> done_;
  Url url_;
  std::optional<ws::ClientHandshake> handshake_;
  std::shared_ptr<const tls::ClientContext> tls_;
  std::shared_ptr<Ticket> ticket_;
  std::unique_ptr<io::Dialer> dialer_;
  std::shared_ptr<ClientSession> session_;
  std::optional<Alarm> limit_;
};

struct Opening {
  Outcome outcome;
  Buffer leftover;
};

}  // namespace
}  // namespace net

Task<std::expected<Connection, ConnectError>> connect(std::string url, ClientOptions options, std::stop_token stop) {
  net::LoopContext* const context = net::LoopContext::current();
  FAIRLEAD_ASSERT(context != nullptr);  // connect belongs into a task: see fairlead::run
  if (stop.stop_requested()) co_return std::unexpected(ConnectError{{Errc::cancelled, ""}});
  auto settings = net::make_settings(options, options.stream_incoming);
  net::Later<net::Opening> later;
  const auto deliver = [&later](net::Outcome outcome, Buffer leftover) {
    later.deliver(net::Opening{std::move(outcome), std::move(leftover)});
  };
  auto attempt = std::make_shared<net::Attempt>(*context, std::move(options), std::move(settings), deliver);
  const net::StopWatch watch(context->mailbox, stop, [&attempt] { attempt->call_off({Errc::cancelled, ""}); });
  attempt->start(url);
  net::Opening opening = co_await later;
  if (!opening.outcome) co_return std::unexpected(std::move(opening.outcome.error()));
  Connection connection(*opening.outcome);
  (*opening.outcome)->open(opening.leftover.readable());
  co_return connection;
}

Task<std::expected<Connection, ConnectError>> connect(std::string url) {
  return connect(std::move(url), ClientOptions{});
}

void connect(std::string url, Handlers handlers, ClientOptions options,
             std::function<void(const ConnectError&)> failed) {
  net::LoopContext* const context = net::LoopContext::current();
  FAIRLEAD_ASSERT(context != nullptr);
  auto settings = net::make_settings(options, static_cast<bool>(handlers.chunk));
  settings->handler_style = true;
  settings->handlers = std::move(handlers);
  // The attempt holds on to itself until it is done, and counts as a running coroutine so that `run` waits for it.
  const auto work = [](net::LoopContext& on, std::string to, ClientOptions how,
                       std::shared_ptr<net::ChannelSettings> with,
                       std::function<void(const ConnectError&)> tell_failed) -> Task<> {
    net::Later<net::Opening> later;
    const auto deliver = [&later](net::Outcome outcome, Buffer leftover) {
      later.deliver(net::Opening{std::move(outcome), std::move(leftover)});
    };
    auto attempt = std::make_shared<net::Attempt>(on, std::move(how), std::move(with), deliver);
    attempt->start(to);
    net::Opening opening = co_await later;
    if (opening.outcome) {
      (*opening.outcome)->open(opening.leftover.readable());
    } else if (tell_failed) {
      tell_failed(opening.outcome.error());
    }
  };
  context->spawned.start(work(*context, std::move(url), std::move(options), std::move(settings), std::move(failed)));
}

}  // namespace fairlead

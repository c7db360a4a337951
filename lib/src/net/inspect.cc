// SPDX-License-Identifier: Apache-2.0
// A TLS handshake for its own sake: connect, look at what the server showed, leave.
#include <fairlead/inspect.h>

#include "io/dialer.h"
#include "net/client_contexts.h"
#include "net/finite_times.h"
#include "net/loop_context.h"
#include "net/stream.h"
#include "net/waiting.h"
#include "tls/context.h"

#include <fairlead/task.h>

#include <unistd.h>
#include <memory>
#include <utility>

namespace fairlead {
namespace net {
namespace {

constexpr std::chrono::milliseconds goodbye_time{500};

struct Seen {
  TlsInfo tls;
  std::vector<CertificateDetails> chain;
};

// One handshake. Destroying it ends whatever it is doing.
class Look final : public StreamUser {
 public:
  Look(LoopContext& context, const Url& url, const ClientOptions& options,
       std::shared_ptr<const tls::ClientContext> tls, Later<Result<Seen>>& seen)
      : context_(context),
        url_(url),
        options_(options),
        times_(finite(options.times)),
        tls_(std::move(tls)),
        seen_(seen),
        limit_([this] { time_is_up(); }) {}
  Look(const Look&) = delete;
  Look& operator=(const Look&) = delete;
  ~Look() {
    context_.loop.cancel_timer(limit_);
    if (stream_ != nullptr) stream_->abort();
  }

  void start() {
    context_.loop.set_timer(limit_, io::Loop::now() + times_.total);
    const io::DialTimes times{.dns = times_.dns, .tcp = times_.tcp, .next_address = times_.next_address};
    auto done = [this](Result<int> descriptor) { connected(std::move(descriptor)); };
    if (options_.unix_path.empty()) {
      dialer_ = std::make_unique<io::Dialer>(context_.loop, url_.host, url_.port, times, std::nullopt, std::move(done));
    } else if (auto endpoint = io::Endpoint::unix_path(options_.unix_path)) {
      dialer_ = std::make_unique<io::Dialer>(context_.loop, *endpoint, times, std::move(done));
    } else {
      finish(std::unexpected(endpoint.error()));
    }
  }

 private:
  void connected(Result<int> descriptor) {
    if (!descriptor) return finish(std::unexpected(std::move(descriptor.error())));
    auto engine = tls::make_engine(tls_, context_.tls, url_.host);
    engine_ = engine.get();
    stream_ = std::make_unique<Stream>(context_, *descriptor, std::move(engine));
    stream_->set_user(this);
    stream_->start();
  }

  void on_secured() override { leave(Seen{.tls = engine_->info(), .chain = engine_->presented_chain()}); }
  void on_data(MutableBytes /*data*/) override {}
  void on_read_turn_end() override {}
  void on_room() override {}
  void on_stream_end(const Error* error) override {
    leave(std::unexpected(error != nullptr ? *error : Error{Errc::unexpected_eof, "the server ended the connection"}));
  }
  void on_secure_failed(const Error& error) override { leave(std::unexpected(error)); }
  void on_stream_gone() override { finish(std::move(*outcome_)); }

  // The stream must not be destroyed inside its own call: its end is awaited.
  void leave(Result<Seen> outcome) {
    if (!outcome_) outcome_.emplace(std::move(outcome));
    stream_->shutdown(goodbye_time);
  }
  void time_is_up() { finish(fail(Errc::timed_out, "the TLS handshake was not done in time")); }
  // Not from inside a call of the stream, dialer or timer: whoever waits destroys all three.
  void finish(Result<Seen> outcome) {
    if (finished_) return;
    finished_ = true;
    outcome_ = std::move(outcome);
    context_.loop.post([this] { seen_.deliver(std::move(*outcome_)); });
  }

  LoopContext& context_;
  const Url& url_;
  const ClientOptions& options_;
  ConnectTimes times_;
  std::shared_ptr<const tls::ClientContext> tls_;
  Later<Result<Seen>>& seen_;
  Alarm limit_;
  std::unique_ptr<io::Dialer> dialer_;
  tls::Engine* engine_ = nullptr;  // the stream's
  std::unique_ptr<Stream> stream_;
  std::optional<Result<Seen>> outcome_;
  bool finished_ = false;
};

Task<Result<Seen>> look(const Url& url, const ClientOptions& options, bool verify) {
  LoopContext& context = *LoopContext::current();
  TlsClient wanted = options.tls;
  if (!verify) {
    wanted.dangerously_disable_certificate_verification = true;
    wanted.pins.clear();
  }
  auto tls = context.clients->find(wanted);
  if (!tls) co_return std::unexpected(tls.error());
  // A variable: g++ 12 awaits a copy of what a call refers to.
  Later<Result<Seen>> seen;
  Look one(context, url, options, std::move(*tls), seen);
  one.start();
  co_return co_await seen;
}

Task<> look_twice(const Url& url, const ClientOptions& options, Result<ServerCertificates>& result) {
  auto seen = co_await look(url, options, false);
  if (!seen) {
    result = std::unexpected(std::move(seen.error()));
    co_return;
  }
  result = ServerCertificates{.tls = std::move(seen->tls), .chain = std::move(seen->chain), .rejected = std::nullopt};
  const auto checked = co_await look(url, options, true);
  if (!checked) result->rejected = checked.error();
}

}  // namespace
}  // namespace net

Result<ServerCertificates> inspect_server(const Url& url, const ClientOptions& options) {
  if (!url.secure()) return fail(Errc::bad_url, "without TLS a server shows no certificate");
  Result<ServerCertificates> result;
  run([&] { return net::look_twice(url, options, result); });
  return result;
}

}  // namespace fairlead

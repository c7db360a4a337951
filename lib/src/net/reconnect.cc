// SPDX-License-Identifier: Apache-2.0
// Coming back gently: full jitter, longer waits after a restart, never before the server's Retry-After.
#include "base/assert.h"
#include "net/client_contexts.h"
#include "net/loop_context.h"

#include <fairlead/client.h>

#include <algorithm>
#include <utility>

namespace fairlead {
namespace {

bool worth_another_try(const ConnectError* error, const CloseInfo* close) {
  if (error != nullptr) {
    switch (error->code) {
      case Errc::bad_url:
      case Errc::invalid_argument:
      case Errc::cancelled:
      case Errc::tls_configuration:
      case Errc::tls_certificate_rejected:
      case Errc::tls_host_mismatch:
      case Errc::tls_pin_mismatch:
        return false;
      default:
        break;
    }
    const bool try_later = error->status == 408 || error->status == 425 || error->status == 429;
    return error->status < 300 || error->status >= 500 || try_later;
  }
  // RFC 6455 5.5.1: where we closed first, the code is our own come back, and the session has said that it goes on.
  if (!close->peer_first) return true;
  return close->code != close_code::normal && close->code != close_code::policy_violation && close->code < 4000;
}

double draw(Entropy& entropy) {
  constexpr double steps = 4294967296.0;
  return static_cast<double>(entropy.next_u32()) / steps;
}

}  // namespace

std::chrono::milliseconds reconnect_delay(const ReconnectOptions& options, unsigned n, bool restart,
                                          std::optional<std::chrono::seconds> retry_after, double random_0_to_1) {
  using std::chrono::milliseconds;
  milliseconds ceiling = options.first_delay;
  for (unsigned i = 0; i < n && ceiling < options.longest_delay; ++i) ceiling *= 2;
  ceiling = std::min(ceiling, options.longest_delay);
  if (restart) ceiling = std::max(ceiling, options.restart_delay);
  const milliseconds drawn(static_cast<milliseconds::rep>(static_cast<double>(ceiling.count()) * random_0_to_1));
  // Behind a Retry-After the clients are spread too, or they would all come in the same second.
  return retry_after ? milliseconds(*retry_after) + drawn : drawn;
}

Task<std::expected<void, ConnectError>> connect_persistently(std::string url,
                                                             std::function<Task<bool>(Connection&)> session,
                                                             ClientOptions options, ReconnectOptions reconnect,
                                                             std::stop_token stop) {
  net::LoopContext* const context = net::LoopContext::current();
  FAIRLEAD_ASSERT(context != nullptr);
  const auto retry = reconnect.should_retry ? reconnect.should_retry : worth_another_try;
  for (unsigned failures = 0;;) {
    auto connection = co_await connect(url, options, stop);
    std::optional<ConnectError> error;
    bool restart = false;
    if (connection) {
      const TimePoint opened = io::Loop::now();
      const bool go_on = co_await session(*connection);
      if (!go_on) co_return std::expected<void, ConnectError>();
      // Nobody receives on it any more, and the server need not ever end it.
      if (connection->open()) static_cast<void>(connection->close(close_code::going_away));
      const auto ended = co_await connection->closed(CallOptions(stop));
      if (!ended) co_return std::unexpected(ConnectError{ended.error()});
      const CloseInfo& close = *ended;
      if (io::Loop::now() - opened >= reconnect.steady_after) failures = 0;
      restart = close.code == close_code::service_restart || close.code == close_code::try_again_later;
      if (!retry(nullptr, &close)) {
        co_return std::unexpected(ConnectError{{Errc::closed, "closed with " + std::to_string(close.code)}});
      }
    } else {
      error = std::move(connection.error());
      if (error->code == Errc::cancelled || !retry(&*error, nullptr)) co_return std::unexpected(std::move(*error));
    }
    if (reconnect.attempts != 0 && failures + 1 > reconnect.attempts) {
      co_return std::unexpected(error ? std::move(*error) : ConnectError{{Errc::closed, "no attempts left"}});
    }
    const auto retry_after = error ? error->retry_after : std::nullopt;
    const auto delay = reconnect_delay(reconnect, failures, restart, retry_after, draw(context->entropy));
    ++failures;
    auto slept = co_await sleep_for(delay, stop);
    if (!slept) co_return std::unexpected(ConnectError{slept.error()});
  }
}

Task<std::expected<void, ConnectError>> connect_persistently(std::string url,
                                                             std::function<Task<bool>(Connection&)> session,
                                                             ClientOptions options) {
  return connect_persistently(std::move(url), std::move(session), std::move(options), ReconnectOptions{});
}

Task<std::expected<void, ConnectError>> connect_persistently(std::string url,
                                                             std::function<Task<bool>(Connection&)> session) {
  return connect_persistently(std::move(url), std::move(session), ClientOptions{}, ReconnectOptions{});
}

}  // namespace fairlead

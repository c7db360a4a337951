// SPDX-License-Identifier: Apache-2.0
// The blocking façade: a thread with a loop, and calls that wait for it.
#include "base/finite.h"
#include "net/channel.h"
#include "net/client_contexts.h"
#include "net/loop_context.h"

#include <fairlead/blocking.h>

#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace fairlead::blocking {
namespace {
// Messages that wait for `receive`; past it the server is slowed down, until `close` wants to read its close frame.
constexpr std::size_t waiting_messages = 64;
}  // namespace

struct Client::State {
  ConnectionHandle handle;
  std::string subprotocol;
  std::promise<std::optional<ConnectError>> opened;
  bool told = false;  // `opened`; loop's thread
  std::thread thread;
  std::once_flag joined;

  mutable std::mutex mutex;
  std::condition_variable changed;
  std::deque<Message> received;
  bool ended = false;
  CloseInfo close_info;
  bool leaving = false;   // nobody receives any more
  bool dropping = false;  // nobody had room for a message then: nothing behind it is kept either

  // The loop's side: receives until the end, waits when nobody takes the messages.
  Task<> serve(std::string url, ClientOptions options) {
    auto connection = co_await fairlead::connect(std::move(url), std::move(options));
    if (!connection) {
      tell(connection.error());
      co_return;
    }
    handle = connection->handle();
    subprotocol = connection->subprotocol();
    tell(std::nullopt);
    while (auto message = co_await connection->receive()) {
      keep(std::move(*message));
      changed.notify_all();
      while (crowded()) static_cast<void>(co_await sleep_for(std::chrono::milliseconds(5)));
    }
    end(co_await connection->closed());
  }

  // Whether it has opened; once.
  void tell(std::optional<ConnectError> error) {
    if (!std::exchange(told, true)) opened.set_value(std::move(error));
  }

  void end(const CloseInfo& info) {
    {
      const std::scoped_lock lock(mutex);
      close_info = info;
      ended = true;
    }
    changed.notify_all();
  }

  void keep(Message message) {
    const std::scoped_lock lock(mutex);
    dropping = dropping || received.size() >= waiting_messages;  // `leaving`: else it would have been waited for
    if (!dropping) received.push_back(std::move(message));
  }

  [[nodiscard]] bool crowded() const {
    const std::scoped_lock lock(mutex);
    return received.size() >= waiting_messages && !leaving;
  }

  SendResult send(const SharedMessage& message) {
    auto answer = std::make_shared<std::promise<SendResult>>();
    auto result = answer->get_future();
    const auto posted = handle.post([answer, message](Connection& ws) {
      // Waits for room first, so that a script is slowed down to its peer's pace, and so are its threads together.
      spawn(tell(answer, ws.send(message, CallOptions())));
    });
    if (posted != SendResult::queued) return posted;
    return wait_for(result);
  }

  static Task<> tell(std::shared_ptr<std::promise<SendResult>> answer, Task<Result<SendResult>> sending) {
    const auto sent = co_await sending;
    answer->set_value(sent.value_or(SendResult::closed));
  }

  SendResult wait_for(std::future<SendResult>& result) {
    while (result.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready) {
      if (!handle.open()) return SendResult::closed;
    }
    return result.get();
  }
};

std::expected<Client, ConnectError> Client::connect(std::string url, ClientOptions options) {
  auto state = std::make_unique<State>();
  auto outcome = state->opened.get_future();
  state->thread = std::thread([raw = state.get(), url = std::move(url), options = std::move(options)] {
    try {
      run([&]() -> Task<> { return raw->serve(url, options); });
    } catch (const std::system_error& none) {  // no loop: its descriptors are not to be had
      raw->tell(ConnectError{{Errc::system, none.what()}});
      raw->end({});
    }
  });
  if (auto error = outcome.get()) {
    state->thread.join();
    return std::unexpected(std::move(*error));
  }
  return Client(std::move(state));
}

Client::Client(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Client::Client(Client&&) noexcept = default;

Client& Client::operator=(Client&& other) noexcept {
  if (this != &other) {
    const Client before(std::exchange(state_, std::move(other.state_)));
  }
  return *this;
}

Client::~Client() {
  if (state_ != nullptr) close(close_code::going_away);
}

SendResult Client::send(std::string_view text) { return state_->send(SharedMessage::text(text)); }
SendResult Client::send(Bytes binary) { return state_->send(SharedMessage::binary(binary)); }

Result<Message> Client::receive(std::optional<Duration> timeout) {
  std::unique_lock lock(state_->mutex);
  const auto ready = [this] { return !state_->received.empty() || state_->ended; };
  if (!timeout) {
    state_->changed.wait(lock, ready);
  } else if (!state_->changed.wait_for(lock, finite(*timeout), ready)) {
    return fail(Errc::timed_out);
  }
  if (state_->received.empty()) return fail(Errc::closed);
  Message message = std::move(state_->received.front());
  state_->received.pop_front();
  return message;
}

CloseInfo Client::close(CloseCode code, std::string_view reason) {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->leaving = true;
  }
  // What may not be sent would leave it open, and this call waiting for its end.
  if (state_->handle.close(code, reason) == SendResult::invalid) static_cast<void>(state_->handle.close());
  // Whoever comes second waits for the first: a thread is joined once.
  std::call_once(state_->joined, [this] { state_->thread.join(); });
  return close_info();
}

CloseInfo Client::close_info() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->close_info;
}

std::string Client::subprotocol() const { return state_->subprotocol; }

}  // namespace fairlead::blocking

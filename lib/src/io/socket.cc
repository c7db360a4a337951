// SPDX-License-Identifier: Apache-2.0
#include "io/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace fairlead::io {

using Wait = boost::asio::posix::descriptor_base::wait_type;
// With the executor's own type: the type-erased one costs 90 bytes more for each connection that waits.
using Descriptor = boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

// Shared with the waits that Asio holds: one that is answered after the socket has gone finds no `events`.
struct Socket::State {
  State(Loop& owner, int fd) : loop(&owner), descriptor(owner.context().get_executor(), fd) {}

  template <Wait What>
  static void wait(std::shared_ptr<State> state, bool State::* flag, void (SocketEvents::*call)()) {
    if (std::exchange((*state).*flag, true)) return;
    Descriptor& descriptor = state->descriptor;
    descriptor.async_wait(What, [state = std::move(state), flag, call](const boost::system::error_code& error) {
      (*state).*flag = false;
      if (error || state->events == nullptr) return;
      const Loop::Entered entered(*state->loop);
      (state->events->*call)();
    });
  }

  Loop* loop;
  Descriptor descriptor;
  SocketEvents* events = nullptr;
  bool waits_to_read = false;
  bool waits_to_write = false;
};

Socket::Socket() noexcept = default;
Socket::Socket(Loop& loop, int descriptor) : state_(std::make_shared<State>(loop, descriptor)) {}
Socket::Socket(Socket&&) noexcept = default;

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this == &other) return *this;
  close();
  state_ = std::move(other.state_);
  return *this;
}

Socket::~Socket() { close(); }

void Socket::set_events(SocketEvents* events) noexcept {
  if (state_ != nullptr) state_->events = events;
}

void Socket::wait_readable() {
  if (is_open()) State::wait<Wait::wait_read>(state_, &State::waits_to_read, &SocketEvents::on_readable);
}

void Socket::wait_writable() {
  if (is_open()) State::wait<Wait::wait_write>(state_, &State::waits_to_write, &SocketEvents::on_writable);
}

namespace {
Transferred outcome(ssize_t result) noexcept {
  if (result > 0) return {Transfer::some, static_cast<std::size_t>(result), 0};
  if (result == 0) return {Transfer::ended, 0, 0};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {Transfer::would_block, 0, 0};
  return {Transfer::failed, 0, errno};
}
}  // namespace

Transferred Socket::read(MutableBytes into) noexcept {
  ssize_t got = 0;
  do {
    got = ::recv(descriptor(), into.data(), into.size(), 0);
  } while (got < 0 && errno == EINTR);
  return outcome(got);
}

Transferred Socket::write(Bytes from) noexcept {
  ssize_t put = 0;
  do {
    put = ::send(descriptor(), from.data(), from.size(), MSG_NOSIGNAL);
  } while (put < 0 && errno == EINTR);
  return outcome(put);
}

void Socket::shutdown_write() noexcept {
  if (is_open()) ::shutdown(descriptor(), SHUT_WR);
}

void Socket::close() noexcept {
  if (state_ == nullptr) return;
  state_->events = nullptr;
  boost::system::error_code ignored;
  state_->descriptor.close(ignored);
  state_.reset();
}

bool Socket::is_open() const noexcept { return state_ != nullptr; }

int Socket::descriptor() const noexcept { return state_ != nullptr ? state_->descriptor.native_handle() : -1; }

Error system_error(Errc code, int error, std::string_view what) {
  return {code, std::string(what) + ": " + std::system_category().message(error)};
}

void prepare_stream(int descriptor) noexcept {
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // fails on UNIX sockets, which have no Nagle
}

}  // namespace fairlead::io

// SPDX-License-Identifier: Apache-2.0
#include "io/socket.h"

#include "io/poller.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace fairlead::io {

Socket::Socket(Loop& loop, int descriptor) : loop_(loop), descriptor_(descriptor) {
  loop_.poller().add(*this, descriptor);
}

Socket::~Socket() { close(); }

void Socket::wait_readable() {
  if (!is_open() || std::exchange(waits_to_read_, true)) return;
  loop_.poller().began_to_wait();
  if (may_read_ && !std::exchange(told_again_, true)) loop_.poller().tell_again(*this);
}

void Socket::wait_writable() {
  if (!is_open() || std::exchange(waits_to_write_, true)) return;
  loop_.poller().began_to_wait();
  loop_.poller().ask_writable(*this, descriptor_);
}

void Socket::tell_readable() {
  if (!may_read_ || !waits_to_read_) return;
  stop_waiting(waits_to_read_);
  if (events_ != nullptr) events_->on_readable();
}

void Socket::tell_writable() {
  if (!waits_to_write_) return;
  stop_waiting(waits_to_write_);
  if (events_ != nullptr) events_->on_writable();
}

void Socket::stop_waiting(bool& wait) noexcept {
  if (std::exchange(wait, false)) loop_.poller().ended_to_wait();
}

namespace {
Transferred outcome(ssize_t result) noexcept {
  if (result > 0) return {Transfer::some, static_cast<std::size_t>(result), 0};
  if (result == 0) return {Transfer::ended, 0, 0};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {Transfer::would_block, 0, 0};
  return {Transfer::failed, 0, errno};
}
}  // namespace

// A read that leaves room has emptied the descriptor, and what comes later is a new edge. But an end that came with the
// edge gives no other: it is read for.
Transferred Socket::read(MutableBytes into) noexcept {
  ssize_t got = 0;
  do {
    got = ::recv(descriptor_, into.data(), into.size(), 0);
  } while (got < 0 && errno == EINTR);
  const Transferred read = outcome(got);
  const bool emptied = read.what == Transfer::some && read.bytes < into.size() && !ended_;
  if (emptied || read.what == Transfer::would_block) may_read_ = false;
  return read;
}

Transferred Socket::write(Bytes from, More more) noexcept {
  const int flags = MSG_NOSIGNAL | (more == More::follows ? MSG_MORE : 0);
  ssize_t put = 0;
  do {
    put = ::send(descriptor_, from.data(), from.size(), flags);
  } while (put < 0 && errno == EINTR);
  return outcome(put);
}

void Socket::shutdown_write() noexcept {
  if (is_open()) ::shutdown(descriptor_, SHUT_WR);
}

void Socket::close() noexcept {
  if (is_open()) ::close(release());
}

int Socket::release() noexcept {
  events_ = nullptr;
  stop_waiting(waits_to_read_);
  stop_waiting(waits_to_write_);
  loop_.poller().remove(*this, descriptor_);
  return std::exchange(descriptor_, -1);
}

Error system_error(Errc code, int error, std::string_view what) {
  return {code, std::string(what) + ": " + std::system_category().message(error)};
}

void prepare_stream(int descriptor) noexcept {
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // fails on UNIX sockets, which have no Nagle
}

}  // namespace fairlead::io

// SPDX-License-Identifier: Apache-2.0
#include "io/acceptor.h"

#include "io/poller.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace fairlead::io {
namespace {

constexpr int backlog = 4096;  // the kernel caps it at net.core.somaxconn
// Accepting costs some 20 µs. What comes of it, a handshake, is shared out elsewhere: so the kernel's queue is emptied
// as fast as open connections allow, since what does not fit there is lost and comes again only after a second.
constexpr unsigned accepted_per_turn = 32;
constexpr std::chrono::milliseconds try_later_wait{100};

// A socket file is left behind by a process that died. It is removed only when nobody answers there.
bool is_stale(const Endpoint& endpoint) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return false;
  const bool refused = ::connect(probe, endpoint.data(), endpoint.size()) != 0 && errno == ECONNREFUSED;
  ::close(probe);
  return refused;
}

// The error number of a bind that shares the port with nobody; 0 when it is free.
int try_to_bind(const Endpoint& endpoint) {
  const int probe = ::socket(endpoint.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return errno;
  const int on = 1;
  // Connections of a server that has ended may still be dying there: that does not count as taken.
  ::setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const int error = ::bind(probe, endpoint.data(), endpoint.size()) == 0 ? 0 : errno;
  ::close(probe);
  return error;
}

void set_options(int descriptor, int family) {
  const int on = 1;
  const int off = 0;
  if (family == AF_UNIX) return;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  prepare_stream(descriptor);  // what it accepts inherits it
  if (family == AF_INET6) ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
}

}  // namespace

// Out of descriptors, or forbidden: wait a little instead of spinning on a socket that stays readable.
class Acceptor::Retry final : public Timer {
 public:
  explicit Retry(Acceptor& owner) : owner_(owner) {}

 private:
  void on_timer(TimePoint) override { owner_.socket_.tell_of_connections(true); }
  Acceptor& owner_;
};

Result<int> Acceptor::listen(const Endpoint& endpoint) {
  const int descriptor = ::socket(endpoint.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return std::unexpected(system_error(Errc::system, errno, "socket"));
  set_options(descriptor, endpoint.family());
  int status = ::bind(descriptor, endpoint.data(), endpoint.size());
  if (status != 0 && errno == EADDRINUSE && endpoint.family() == AF_UNIX && is_stale(endpoint)) {
    ::unlink(endpoint.peer_address().path.c_str());
    status = ::bind(descriptor, endpoint.data(), endpoint.size());
  }
  if (status == 0) status = ::listen(descriptor, backlog);
  if (status == 0) return descriptor;
  const Error error = system_error(Errc::system, errno, "cannot listen on " + to_string(endpoint.peer_address()));
  ::close(descriptor);
  return std::unexpected(error);
}

Result<int> Acceptor::claim(const Endpoint& endpoint) {
  const bool may_be_shared = endpoint.family() != AF_UNIX && endpoint.port() != 0;
  if (may_be_shared && try_to_bind(endpoint) == EADDRINUSE) {
    return fail(Errc::system,
                "cannot listen on " + to_string(endpoint.peer_address()) + ": another program listens there already");
  }
  return listen(endpoint);
}

bool Acceptor::has_address(Endpoint endpoint) {
  endpoint.set_port(0);
  return try_to_bind(endpoint) == 0;
}

Endpoint Acceptor::local_endpoint(int descriptor) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API's own idiom.
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
  return {reinterpret_cast<const sockaddr*>(&address), length};
}

Result<Endpoint> Acceptor::adopt(int descriptor) {
  int listening = 0;
  socklen_t length = sizeof listening;
  const bool asked = ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0;
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (!asked || flags < 0 || listening == 0) {
    if (flags >= 0) ::close(descriptor);
    return fail(Errc::invalid_argument,
                "descriptor " + std::to_string(descriptor) + " is not a socket that listens for connections");
  }
  ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  prepare_stream(descriptor);
  return local_endpoint(descriptor);
}

Acceptor::Acceptor(Loop& loop, int descriptor) : loop_(loop), socket_(loop, descriptor, Socket::Kind::listening) {
  socket_.set_events(this);
}
Acceptor::~Acceptor() = default;

void Acceptor::start(std::function<void(int, const Endpoint&)> accepted) {
  accepted_ = std::move(accepted);
  socket_.wait_readable();
}

void Acceptor::stop() {
  retry_.reset();
  socket_.close();
}

Acceptor::Outcome Acceptor::accept_one() {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
  auto* peer = reinterpret_cast<sockaddr*>(&address);
  const int descriptor = ::accept4(socket_.descriptor(), peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor >= 0) {
    accepted_(descriptor, Endpoint(peer, length));
    return Outcome::accepted;
  }
  switch (errno) {
    case EAGAIN:
      return Outcome::none;
    case EINVAL:
      return Outcome::deaf;  // whoever else has the socket has shut it down
    case ECONNABORTED:
    case EINTR:
    case EPROTO:
      return Outcome::accepted;  // one that was reset before it was accepted is none at all; look again
    default:
      return Outcome::unable;  // no descriptor or memory is left, or somebody forbids it
  }
}

// To look whether one more is there costs some µs, and alone is how most come. So who is told accepts one, and twice as
// many in each turn in a row: of a crowd soon as many as may be. Where a turn cannot take all that are ready, the next
// time it is told counts as one in a row.
unsigned Acceptor::share_of_turn() noexcept {
  const std::uint64_t turn = loop_.poller().turn();
  const bool in_a_row = turn == std::exchange(told_in_turn_, turn) + 1 || loop_.poller().crowded();
  at_once_ = in_a_row ? std::min(2 * at_once_, accepted_per_turn) : 1;
  return at_once_;
}

void Acceptor::on_readable() {
  socket_.note_drained();  // what is left it is told of again
  socket_.wait_readable();
  for (unsigned left = share_of_turn(); left != 0 && socket_.is_open(); --left) {
    switch (accept_one()) {
      case Outcome::accepted:
        break;
      case Outcome::none:
        at_once_ = 1;
        return;
      case Outcome::unable:
        return try_later();
      case Outcome::deaf:
        return socket_.close();
    }
  }
}

void Acceptor::try_later() {
  socket_.tell_of_connections(false);
  if (retry_ == nullptr) retry_ = std::make_unique<Retry>(*this);
  loop_.set_timer(*retry_, Loop::now() + try_later_wait);
}

}  // namespace fairlead::io

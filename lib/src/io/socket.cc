// SPDX-License-Identifier: Apache-2.0
#include "io/socket.h"

#include "io/outbox.h"
#include "io/poller.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <system_error>
#include <utility>

namespace fairlead::io {
namespace {

// A socket of which much came at a time is read ahead again once it has brought no more than this so many times.
constexpr std::size_t little_bytes = std::size_t{8} * 1024;
constexpr std::uint8_t little_ones_after_much = 16;

}  // namespace

Socket::Socket(Loop& loop, int descriptor, Kind kind) : loop_(loop), descriptor_(descriptor) {
  Poller& poller = loop_.poller();
  watched_ = kind == Kind::stream ? poller.add(*this, descriptor) : poller.add_listening(*this, descriptor);
  if (!watched_) note_readable();
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

Received Socket::read(MutableBytes room) noexcept {
  if (ahead_ != nothing_ahead) return loop_.poller().read_ahead().take(*this, room);
  return note_read(receive(descriptor_, room), room);
}

// A read that leaves room has emptied the descriptor, and what comes later is a new edge. But an end that came with the
// edge gives no other: it is read for.
Received Socket::note_read(const Transferred& read, MutableBytes room) noexcept {
  const bool some = read.what == Transfer::some;
  const bool left_room = some && read.bytes < room.size();
  if ((left_room && !ended_) || read.what == Transfer::would_block) may_read_ = false;
  if (read.bytes > ReadAhead::room_bytes / 2) {
    much_ = little_ones_after_much;
  } else if (much_ != 0 && read.bytes <= little_bytes) {
    --much_;
  }
  return {.what = read.what, .bytes = room.first(read.bytes), .left_room = left_room, .error = read.error};
}

bool Socket::may_be_read_ahead() const noexcept {
  return may_read_ && waits_to_read_ && !ended_ && much_ == 0 && events_ != nullptr && events_->reads_when_told();
}

Transferred Socket::write(Bytes from, More more) noexcept { return send(descriptor_, from, more); }

bool Socket::write_soon(Bytes from, More more) {
  if (Loop::current() == &loop_) return loop_.outbox().put(*this, from, more);
  write_gathered();
  return false;
}

void Socket::write_gathered() {
  if (gathered_bytes_ != 0) loop_.outbox().flush();
}

void Socket::drop_gathered() noexcept {
  if (gathered_bytes_ != 0) loop_.outbox().drop(*this);
}

std::size_t Socket::untaken_bytes() const noexcept {
  int bytes = 0;
  return ::ioctl(descriptor_, SIOCOUTQ, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
}

void Socket::tell_of_connections(bool wanted) noexcept {
  if (is_open()) loop_.poller().tell_of_connections(*this, descriptor_, wanted);
}

void Socket::shutdown_write() noexcept {
  if (is_open()) ::shutdown(descriptor_, SHUT_WR);
}

void Socket::shut_down() noexcept {
  if (is_open()) ::shutdown(descriptor_, SHUT_RDWR);
}

void Socket::close() noexcept {
  if (is_open()) ::close(release());
}

int Socket::release() noexcept {
  events_ = nullptr;
  stop_waiting(waits_to_read_);
  stop_waiting(waits_to_write_);
  drop_gathered();
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

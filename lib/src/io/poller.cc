// SPDX-License-Identifier: Apache-2.0
#include "io/poller.h"

#include "io/guest_wait.h"
#include "io/loop.h"
#include "io/outbox.h"
#include "io/socket.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace fairlead::io {
namespace {

constexpr std::size_t edges_per_turn = 128;
// EPOLLRDHUP: the end of the peer's direction must not hide behind its last bytes, see Socket::read.
constexpr std::uint32_t read_edges = EPOLLIN | EPOLLRDHUP | EPOLLET;

// As Asio does when the process is out of descriptors.
int make_set() {
  const int set = ::epoll_create1(EPOLL_CLOEXEC);
  if (set < 0) throw std::system_error(errno, std::system_category(), "epoll_create1");
  return set;
}

epoll_event event_of(Socket* socket, std::uint32_t what) noexcept {
  epoll_event event{};
  event.events = what;
  event.data.ptr = socket;
  return event;
}

}  // namespace

Poller::Poller(Loop& loop) : loop_(loop), set_(make_set()), read_ahead_(loop.batch()) {}
Poller::~Poller() { ::close(set_); }

bool Poller::add(Socket& socket, int descriptor) noexcept {
  epoll_event event = event_of(&socket, read_edges);
  return ::epoll_ctl(set_, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

bool Poller::add_listening(Socket& socket, int descriptor) noexcept {
  epoll_event event = event_of(&socket, EPOLLIN);
  return ::epoll_ctl(set_, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void Poller::tell_of_connections(Socket& socket, int descriptor, bool wanted) noexcept {
  epoll_event event = event_of(&socket, wanted ? EPOLLIN : 0U);
  ::epoll_ctl(set_, EPOLL_CTL_MOD, descriptor, &event);
}

void Poller::remove(Socket& socket, int descriptor) noexcept {
  ::epoll_ctl(set_, EPOLL_CTL_DEL, descriptor, nullptr);  // a copy of the descriptor may live on
  for (epoll_event& edge : edges_) {
    if (edge.data.ptr == &socket) edge.data.ptr = nullptr;
  }
  std::ranges::replace(again_, &socket, nullptr);
  std::ranges::replace(telling_, &socket, nullptr);
  read_ahead_.forget(socket);
}

void Poller::ask_writable(Socket& socket, int descriptor) noexcept {
  epoll_event event = event_of(&socket, read_edges | EPOLLOUT);
  ::epoll_ctl(set_, EPOLL_CTL_MOD, descriptor, &event);
}

void Poller::tell_again(Socket& socket) {
  again_.push_back(&socket);
  if (loop_.guest_ != nullptr) loop_.guest_->need_turn();
}

void Poller::began_to_wait() {
  ++waits_;
  if (loop_.guest_ != nullptr) loop_.guest_->arm();
}

void Poller::ended_to_wait() noexcept {
  --waits_;
  if (loop_.guest_ != nullptr) loop_.guest_->disarm_if_unused();
}

std::size_t Poller::tell(int timeout_ms) {
  ++turn_;
  telling_ = std::exchange(again_, std::move(telling_));
  const std::size_t edges = tell_edges(timeout_ms);
  return edges + tell_remembered();
}

std::size_t Poller::tell_edges(int timeout_ms) {
  std::array<epoll_event, edges_per_turn> edges;
  const int count = ::epoll_wait(set_, edges.data(), edges.size(), timeout_ms);
  loop_.turn_time_ = {};
  crowded_ = count == static_cast<int>(edges_per_turn);
  if (count <= 0) return 0;
  edges_ = std::span(edges).first(static_cast<std::size_t>(count));
  struct Forget {  // whatever a handler throws
    std::span<epoll_event>& edges;
    ~Forget() { edges = {}; }
  } const forget{edges_};
  for (std::size_t at = 0; at < edges_.size(); at += Batch::most) {
    tell_group(edges_.subspan(at, std::min(Batch::most, edges_.size() - at)));
  }
  return static_cast<std::size_t>(count);
}

void Poller::tell_group(std::span<const epoll_event> group) {
  for (const epoll_event& edge : group) {
    if (edge.data.ptr == nullptr) continue;  // gone
    auto& socket = *static_cast<Socket*>(edge.data.ptr);
    if ((edge.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) socket.note_ended();
    if ((edge.events & EPOLLIN) != 0) socket.note_readable();
    if (socket.may_be_read_ahead()) read_ahead_.want(socket);
  }
  struct Settle {  // whatever a handler throws
    ReadAhead& ahead;
    ~Settle() { ahead.settle(); }
  } const settle{read_ahead_};
  read_ahead_.run();
  for (const epoll_event& edge : group) {
    const auto gone = [&edge] { return edge.data.ptr == nullptr; };
    if (gone()) continue;
    auto& socket = *static_cast<Socket*>(edge.data.ptr);
    // Read first: what came before a reset would hide behind the write that it fails.
    socket.tell_readable();
    if (!gone() && (edge.events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) socket.tell_writable();
    loop_.outbox().flush_if_due();
  }
  loop_.outbox().flush();
}

std::size_t Poller::tell_remembered() {
  for (std::size_t i = 0; i < telling_.size(); ++i) {
    Socket* const socket = telling_[i];
    if (socket == nullptr) continue;
    socket->told_again_ = false;
    socket->tell_readable();
    loop_.outbox().flush_if_due();
  }
  loop_.outbox().flush();
  const std::size_t told = telling_.size();
  telling_.clear();
  return told;
}

}  // namespace fairlead::io

// SPDX-License-Identifier: Apache-2.0
#include "io/poller.h"

#include "io/loop.h"
#include "io/socket.h"

#include <sys/epoll.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>

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

using Descriptor = boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

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

// Shared with the waits that Asio holds: one that is answered after the poller has gone finds none.
struct Poller::Waiting {
  Waiting(Poller& owner, boost::asio::io_context& of, int set)
      : poller(&owner), context(of), descriptor(of.get_executor(), set) {}
  Poller* poller;
  boost::asio::io_context& context;
  Descriptor descriptor;  // owns the set
};

Poller::Poller(Loop& loop, boost::asio::io_context& context)
    : loop_(loop), set_(make_set()), waiting_(std::make_shared<Waiting>(*this, context, set_)) {}

Poller::~Poller() {
  waiting_->poller = nullptr;
  boost::system::error_code ignored;
  waiting_->descriptor.close(ignored);
}

void Poller::add(Socket& socket, int descriptor) {
  epoll_event event = event_of(&socket, read_edges);
  if (::epoll_ctl(set_, EPOLL_CTL_ADD, descriptor, &event) != 0) socket.note_readable();
}

void Poller::remove(Socket& socket, int descriptor) noexcept {
  ::epoll_ctl(set_, EPOLL_CTL_DEL, descriptor, nullptr);  // a copy of the descriptor may live on
  for (epoll_event& edge : edges_) {
    if (edge.data.ptr == &socket) edge.data.ptr = nullptr;
  }
  std::ranges::replace(again_, &socket, nullptr);
  std::ranges::replace(telling_, &socket, nullptr);
}

void Poller::ask_writable(Socket& socket, int descriptor) noexcept {
  epoll_event event = event_of(&socket, read_edges | EPOLLOUT);
  ::epoll_ctl(set_, EPOLL_CTL_MOD, descriptor, &event);
}

void Poller::tell_again(Socket& socket) {
  again_.push_back(&socket);
  if (!polling_) post();
}

void Poller::began_to_wait() {
  ++waits_;
  arm();
}

void Poller::ended_to_wait() noexcept {
  --waits_;
  disarm_if_unused();
}

// Only while somebody waits: an idle server must not keep the caller's context running.
void Poller::arm() {
  if (armed_ || posted_ || polling_ || waits_ == 0) return;
  armed_ = true;
  waiting_->descriptor.async_wait(Descriptor::wait_read, [waiting = waiting_](const boost::system::error_code& error) {
    if (error || waiting->poller == nullptr) return;
    const Loop::Entered entered(waiting->poller->loop_);
    waiting->poller->armed_ = false;
    waiting->poller->poll();
  });
}

void Poller::disarm_if_unused() noexcept {
  if (!armed_ || polling_ || waits_ != 0) return;
  armed_ = false;
  boost::system::error_code ignored;
  waiting_->descriptor.cancel(ignored);
}

void Poller::post() {
  if (std::exchange(posted_, true)) return;
  boost::asio::post(waiting_->context, [waiting = waiting_] {
    if (waiting->poller == nullptr) return;
    const Loop::Entered entered(waiting->poller->loop_);
    waiting->poller->posted_ = false;
    waiting->poller->poll();
  });
}

void Poller::poll() {
  polling_ = true;
  telling_ = std::exchange(again_, std::move(telling_));
  // The turn ends here, rather than behind a further look at what Asio waits for, unless its end is on its way.
  const bool ends_turn = !std::exchange(loop_.turn_end_posted_, true);
  tell_edges();
  tell_remembered();
  if (ends_turn) loop_.end_turn();
  polling_ = false;
  if (!again_.empty()) return post();
  arm();
  disarm_if_unused();
}

void Poller::tell_edges() {
  std::array<epoll_event, edges_per_turn> edges;
  const int count = ::epoll_wait(set_, edges.data(), edges.size(), 0);
  if (count <= 0) return;
  edges_ = std::span(edges).first(static_cast<std::size_t>(count));
  for (const epoll_event& edge : edges_) {
    const auto gone = [&edge] { return edge.data.ptr == nullptr; };
    if (gone()) continue;
    auto& socket = *static_cast<Socket*>(edge.data.ptr);
    const std::uint32_t ends = edge.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    if (ends != 0) socket.note_ended();
    if ((edge.events & EPOLLIN) != 0) socket.note_readable();
    if ((edge.events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) socket.tell_writable();
    if (!gone()) socket.tell_readable();
  }
  edges_ = {};
}

void Poller::tell_remembered() {
  for (std::size_t i = 0; i < telling_.size(); ++i) {
    Socket* const socket = telling_[i];
    if (socket == nullptr) continue;
    socket->told_again_ = false;
    socket->tell_readable();
  }
  telling_.clear();
}

}  // namespace fairlead::io

// SPDX-License-Identifier: Apache-2.0
#include "io/watches.h"

#include "base/assert.h"
#include "io/outbox.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace fairlead::io {
namespace {

// The others are told in the next turn: the kernel puts those that have been told behind them.
constexpr std::size_t told_in_a_turn = 64;

// EPOLLERR and EPOLLHUP are told whether asked for or not. Who wants nothing has them told once, which is overheard,
// instead of in each turn.
epoll_event event_of(Watch* watch, Directions wanted) noexcept {
  epoll_event event{};
  event.events = (wanted.read ? EPOLLIN : 0U) | (wanted.write ? EPOLLOUT : 0U);
  if (!wanted.any()) event.events = EPOLLET;
  event.data.ptr = watch;
  return event;
}

// It may want something else by now than when it was looked at.
Directions ready_of(std::uint32_t events, Directions wanted) noexcept {
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) return {.read = wanted.any(), .write = wanted.any()};
  return {.read = wanted.read && (events & EPOLLIN) != 0, .write = wanted.write && (events & EPOLLOUT) != 0};
}

}  // namespace

Watch::~Watch() {
  if (owner_ != nullptr) owner_->remove(*this);
}

Watches::~Watches() {
  while (first_ != nullptr) unlink(*first_);
  if (socket_) static_cast<void>(socket_->release());
  if (set_ >= 0) ::close(set_);
}

Result<void> Watches::open() {
  if (set_ < 0) set_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (set_ < 0) return std::unexpected(system_error(Errc::system, errno, "epoll_create1"));
  return {};
}

Result<void> Watches::add(Watch& watch, int descriptor, Directions wanted) {
  FAIRLEAD_ASSERT(!watch.active());
  if (auto opened = open(); !opened) return opened;
  epoll_event event = event_of(&watch, wanted);
  if (::epoll_ctl(set_, EPOLL_CTL_ADD, descriptor, &event) != 0) {
    return std::unexpected(system_error(Errc::system, errno, "the descriptor cannot be watched"));
  }
  watch.owner_ = this;
  watch.descriptor_ = descriptor;
  watch.wanted_ = wanted;
  watch.next_ = first_;
  if (first_ != nullptr) first_->previous_ = &watch;
  first_ = &watch;
  count({}, wanted);
  if (socket_ && !socket_->is_watched()) {
    remove(watch);
    return std::unexpected(system_error(Errc::system, ENOSPC, "the descriptor cannot be watched"));
  }
  return {};
}

void Watches::change(Watch& watch, Directions wanted) noexcept {
  FAIRLEAD_ASSERT(watch.owner_ == this);
  epoll_event event = event_of(&watch, wanted);
  ::epoll_ctl(set_, EPOLL_CTL_MOD, watch.descriptor_, &event);
  count(std::exchange(watch.wanted_, wanted), wanted);
}

void Watches::remove(Watch& watch) noexcept {
  FAIRLEAD_ASSERT(watch.owner_ == this);
  ::epoll_ctl(set_, EPOLL_CTL_DEL, watch.descriptor_, nullptr);
  for (epoll_event& event : told_) {
    if (event.data.ptr == &watch) event.data.ptr = nullptr;
  }
  count(watch.wanted_, {});
  unlink(watch);
}

void Watches::unlink(Watch& watch) noexcept {
  (watch.previous_ != nullptr ? watch.previous_->next_ : first_) = watch.next_;
  if (watch.next_ != nullptr) watch.next_->previous_ = watch.previous_;
  watch.owner_ = nullptr;
  watch.previous_ = watch.next_ = nullptr;
}

void Watches::count(const Directions& before, const Directions& now) {
  wanted_ += now.any() ? 1 : 0;
  wanted_ -= before.any() ? 1 : 0;
  if (wanted_ != 0 && !socket_) {
    socket_.emplace(loop_, set_, Socket::Kind::listening);  // told of in each turn in which something is ready
    socket_->set_events(this);
    socket_->wait_readable();
  } else if (wanted_ == 0 && socket_) {
    static_cast<void>(socket_->release());
    socket_.reset();
  }
}

void Watches::on_readable() {
  socket_->note_drained();  // what is left it is told of again
  socket_->wait_readable();
  std::array<epoll_event, told_in_a_turn> events;
  const int count = ::epoll_wait(set_, events.data(), events.size(), 0);
  if (count <= 0) return;
  told_ = std::span(events).first(static_cast<std::size_t>(count));
  for (const epoll_event& event : told_) {
    if (event.data.ptr == nullptr) continue;  // gone
    auto& watch = *static_cast<Watch*>(event.data.ptr);
    const Directions ready = ready_of(event.events, watch.wanted_);
    if (ready.any()) watch.on_ready(ready);
    loop_.outbox().flush_if_due();
  }
  told_ = {};
}

}  // namespace fairlead::io

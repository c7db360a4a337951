// SPDX-License-Identifier: Apache-2.0
#include "loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>

namespace fairlead::bench {

namespace {

constexpr int events_per_turn = 256;
constexpr std::chrono::milliseconds longest_wait{1};  // how late a `done` that depends on time alone is seen

void control(int epoll, int operation, int socket, std::uint32_t events, Watched& watched) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &watched;
  if (epoll_ctl(epoll, operation, socket, &event) != 0) throw std::runtime_error("epoll_ctl failed");
}

}  // namespace

Loop::Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw std::runtime_error("epoll_create1 failed");
}

Loop::~Loop() { ::close(epoll_); }

void Loop::add(int socket, std::uint32_t events, Watched& watched) {
  control(epoll_, EPOLL_CTL_ADD, socket, events, watched);
}

void Loop::change(int socket, std::uint32_t events, Watched& watched) {
  control(epoll_, EPOLL_CTL_MOD, socket, events, watched);
}

// Nobody destroys a watched object during a turn, so the pointers of its events stay good.
void Loop::turn(Clock::duration longest) {
  std::array<epoll_event, events_per_turn> events;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(std::min<Clock::duration>(longest, longest_wait));
  const int count = epoll_wait(epoll_, events.data(), events_per_turn, static_cast<int>(wait.count()));
  if (count < 0 && errno != EINTR) throw std::runtime_error("epoll_wait failed");
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    static_cast<Watched*>(event.data.ptr)->on_ready(event.events);
  }
}

}  // namespace fairlead::bench

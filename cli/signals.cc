// SPDX-License-Identifier: Apache-2.0
#include "signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

namespace fairlead::cli {

Signals::Signals(std::initializer_list<int> numbers) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : numbers) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal_descriptor_ = ::signalfd(-1, &set, SFD_CLOEXEC);
  wake_descriptor_ = ::eventfd(0, EFD_CLOEXEC);
  if (signal_descriptor_ < 0 || wake_descriptor_ < 0) {
    throw std::system_error(errno, std::generic_category(), "cannot wait for signals");
  }
}

Signals::~Signals() {
  ::close(signal_descriptor_);
  ::close(wake_descriptor_);
}

std::optional<int> Signals::wait() {
  for (;;) {
    std::array<pollfd, 2> both{{{.fd = wake_descriptor_, .events = POLLIN, .revents = 0},
                                {.fd = signal_descriptor_, .events = POLLIN, .revents = 0}}};
    if (::poll(both.data(), both.size(), -1) < 0 && errno != EINTR) return std::nullopt;
    if (both[0].revents != 0) return std::nullopt;
    if (both[1].revents == 0) continue;
    signalfd_siginfo info{};
    if (::read(signal_descriptor_, &info, sizeof info) == sizeof info) return static_cast<int>(info.ssi_signo);
  }
}

void Signals::wake() {
  const std::uint64_t one = 1;
  (void)!::write(wake_descriptor_, &one, sizeof one);
}

}  // namespace fairlead::cli

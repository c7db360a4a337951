// SPDX-License-Identifier: Apache-2.0
#include "app/sd_notify.h"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <cstdlib>
#include <ctime>

namespace fairlead::server {

void notify_service_manager(const std::string& state) { (void)sd_notify(0, state.c_str()); }

void notify_reloading() {
  timespec now{};
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  const auto microseconds = now.tv_sec * 1'000'000 + now.tv_nsec / 1'000;
  notify_service_manager(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", microseconds));
}

std::vector<InheritedSocket> inherited_sockets() {
  char** names = nullptr;
  const int count = sd_listen_fds_with_names(1, &names);
  std::vector<InheritedSocket> sockets;
  for (int i = 0; i < count; ++i) {
    sockets.push_back({SD_LISTEN_FDS_START + i, names != nullptr && names[i] != nullptr ? names[i] : ""});
    if (names != nullptr) std::free(names[i]);  // NOLINT(cppcoreguidelines-no-malloc): the library's contract
  }
  std::free(static_cast<void*>(names));  // NOLINT(cppcoreguidelines-no-malloc)
  return sockets;
}

}  // namespace fairlead::server

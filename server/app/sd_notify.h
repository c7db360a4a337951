// SPDX-License-Identifier: Apache-2.0
// What a service manager is told, and the sockets that it hands over. Without one, all of it does nothing.
#pragma once

#include <string>
#include <vector>

namespace fairlead::server {

// "READY=1", "STOPPING=1", "RELOADING=1\nMONOTONIC_USEC=…", "STATUS=…"
void notify_service_manager(const std::string& state);
void notify_reloading();

struct InheritedSocket {
  int descriptor = -1;
  std::string name;  // FileDescriptorName= of the socket unit
};
// Empty when none were handed over. The second call finds none: they belong to the first one's caller.
[[nodiscard]] std::vector<InheritedSocket> inherited_sockets();

}  // namespace fairlead::server

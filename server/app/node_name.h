// SPDX-License-Identifier: Apache-2.0
// What a node is called that has no name in its configuration.
#pragma once

#include "config/settings.h"

#include <string>
#include <string_view>

namespace fairlead::server {

// "host:8443": by the first listener, so that the nodes of one host differ. A port that the system is to choose is not
// known yet, and left out.
[[nodiscard]] inline std::string default_node_name(std::string_view host, const ListenSettings& listen) {
  std::string first = "localhost:8443";
  if (!listen.secure.empty()) {
    first = listen.secure.front();
  } else if (!listen.insecure_cleartext.empty()) {
    first = listen.insecure_cleartext.front();
  }
  std::string name(host);
  const std::string where = first.starts_with("unix:") ? first.substr(5) : first.substr(first.rfind(':') + 1);
  return where == "0" ? name : name.append(":").append(where);
}

}  // namespace fairlead::server

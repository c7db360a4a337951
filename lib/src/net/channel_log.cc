// SPDX-License-Identifier: Apache-2.0
// What a WebSocket's life looks like in the log: one line for each event, with neither payload nor token nor query.
#include "net/channel.h"

#include <string>
#include <string_view>

namespace fairlead::net {

void Channel::log_failure(LogLevel level, std::string_view what, const Error& error) {
  if (!settings_->log) return;
  std::string line = "websocket ";
  settings_->log(level, line.append(what).append(" peer=" + to_string(request().peer) + " " + to_string(error)));
}

}  // namespace fairlead::net

// SPDX-License-Identifier: Apache-2.0
// What all endpoints of a server have in common. Shared by their routes.
#pragma once

#include "transport/emulated_sessions.h"
#include "transport/loop_transports.h"
#include "transport/origins.h"
#include "transport/settings.h"
#include "transport/transports.h"

#include <fairlead/server.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::server {

class Endpoints {
 public:
  Endpoints(TransportSettings settings, TransportHost& host)
      : settings_(std::move(settings)),
        host_(host),
        origins_(std::make_shared<const Origins>(settings_.allowed_origins)) {}
  Endpoints(const Endpoints&) = delete;
  Endpoints& operator=(const Endpoints&) = delete;

  // As they were when the routes were added.
  [[nodiscard]] const TransportSettings& settings() const noexcept { return settings_; }
  // What can change later: which pages may connect from now on. Any thread.
  void reconfigure(const TransportSettings& settings);
  [[nodiscard]] TransportHost& host() noexcept { return host_; }
  [[nodiscard]] std::shared_ptr<const Origins> origins() const;
  [[nodiscard]] EmulatedSessions& emulated() noexcept { return emulated_; }
  // What belongs to the loop that calls. Any loop; made when it first asks.
  [[nodiscard]] LoopTransports& here();

  // What is answered instead of serving: 403 for a page that may not, 204 to OPTIONS, 405 for another method.
  [[nodiscard]] std::optional<Response> refuse(const Request& request, std::string_view methods) const;

 private:
  TransportSettings settings_;
  TransportHost& host_;
  EmulatedSessions emulated_;
  mutable std::mutex mutex_;  // of what follows
  std::shared_ptr<const Origins> origins_;
  std::vector<std::unique_ptr<LoopTransports>> loops_;
};

// Who is there, for permissions and webhooks. Names of header fields in lower case.
[[nodiscard]] Caller caller_of(const Request& request, std::string_view transport, WireFormat format);
// "application/octet-stream" means Protobuf, anything else JSON.
[[nodiscard]] WireFormat format_of_body(const Request& request);

}  // namespace fairlead::server

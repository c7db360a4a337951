// SPDX-License-Identifier: Apache-2.0
// The ways in: WebSocket, HTTP-stream and server-sent events with their emulation, and the unidirectional ones. They
// carry frames between a connection of the library and a session, and know neither channels nor permissions.
#pragma once

#include "protocol/codec.h"
#include "session/session.h"
#include "transport/settings.h"

#include <fairlead/server.h>
#include <fairlead/time.h>

#include <cstddef>
#include <memory>
#include <string>

namespace fairlead::server {

class Endpoints;

// What the transports need of the process. Outlives the server.
class TransportHost {
 public:
  virtual ~TransportHost() = default;

  // ── On the loop of the connection ─────────────────────────────────────────────────────────────────────────────────
  // A session with this loop's environment; null when the node takes nobody in, which the client learns as 3001.
  // The outbox lives until `Session::closed` has returned, which is called once for each session.
  [[nodiscard]] virtual std::shared_ptr<Session> open_session(Outbox& outbox, Caller caller,
                                                              Session::Options options) = 0;
  [[nodiscard]] virtual TimePoint now() const = 0;

  // ── On any thread ─────────────────────────────────────────────────────────────────────────────────────────────────
  [[nodiscard]] virtual const Codec& codec(WireFormat format) const = 0;
  [[nodiscard]] virtual const std::string& node_id() const = 0;
  // SessionSettings::queue_max_bytes as it is when the routes are added.
  [[nodiscard]] virtual std::size_t queue_max_bytes() const = 0;
};

// Adds the routes of all endpoints that are not disabled. Before `start`. Throws std::invalid_argument when two of them
// have the same path. What is returned takes new settings as far as they can change.
std::shared_ptr<Endpoints> add_transports(Server& server, const TransportSettings& settings, TransportHost& host);

}  // namespace fairlead::server

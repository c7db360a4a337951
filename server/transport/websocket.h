// SPDX-License-Identifier: Apache-2.0
// The WebSocket endpoints, bidirectional and unidirectional.
#pragma once

#include "transport/endpoints.h"

namespace fairlead::server {

void add_websocket(Server& server, const std::shared_ptr<Endpoints>& endpoints,
                   const TransportSettings::Endpoint& where);
void add_uni_websocket(Server& server, const std::shared_ptr<Endpoints>& endpoints,
                       const TransportSettings::Endpoint& where);

}  // namespace fairlead::server

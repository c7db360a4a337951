// SPDX-License-Identifier: Apache-2.0
// The endpoints that answer with a stream: HTTP-stream and server-sent events, bidirectional with the help of
// POST /emulation, and unidirectional.
#pragma once

#include "transport/endpoints.h"

namespace fairlead::server {

void add_http_stream(Server& server, const std::shared_ptr<Endpoints>& endpoints,
                     const TransportSettings::Endpoint& where);
void add_sse(Server& server, const std::shared_ptr<Endpoints>& endpoints, const TransportSettings::Endpoint& where);
void add_uni_http_stream(Server& server, const std::shared_ptr<Endpoints>& endpoints,
                         const TransportSettings::Endpoint& where);
void add_uni_sse(Server& server, const std::shared_ptr<Endpoints>& endpoints, const TransportSettings::Endpoint& where);
void add_emulation(Server& server, const std::shared_ptr<Endpoints>& endpoints,
                   const TransportSettings::Endpoint& where);

}  // namespace fairlead::server

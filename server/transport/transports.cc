// SPDX-License-Identifier: Apache-2.0
#include "transport/transports.h"

#include "transport/endpoints.h"
#include "transport/http_streams.h"
#include "transport/websocket.h"

namespace fairlead::server {

std::shared_ptr<Endpoints> add_transports(Server& server, const TransportSettings& settings, TransportHost& host) {
  const auto endpoints = std::make_shared<Endpoints>(settings, host);
  const auto add = [&](const TransportSettings::Endpoint& endpoint, auto&& add_it) {
    if (!endpoint.disabled) add_it(server, endpoints, endpoint);
  };
  add(settings.websocket, add_websocket);
  add(settings.http_stream, add_http_stream);
  add(settings.sse, add_sse);
  if (!settings.http_stream.disabled || !settings.sse.disabled) add(settings.emulation, add_emulation);
  add(settings.uni_websocket, add_uni_websocket);
  add(settings.uni_sse, add_uni_sse);
  add(settings.uni_http_stream, add_uni_http_stream);
  return endpoints;
}

}  // namespace fairlead::server

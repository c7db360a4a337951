// SPDX-License-Identifier: Apache-2.0
// Puts the HTTP API and what operators look at on a server's paths.
#pragma once

#include "api/core.h"

#include <fairlead/server.h>

#include <memory>

namespace fairlead::server {

// POST <prefix>, POST <prefix>/<method>, GET <prefix>/openapi.json. Before `listen`; `control` outlives the server. The
// returned core takes changed settings (but the prefix, and a larger body) and serves the admin pages; it is null when
// the API is disabled.
std::shared_ptr<ApiCore> add_api(Server& server, const HttpApiSettings& settings, Control& control);

// GET /metrics for Prometheus.
void add_metrics(Server& server, Control& control, const std::string& path = "/metrics");
// GET /health: 200 while the loops answer. GET /ready: 200 when new clients are welcome, else 503.
void add_health(Server& server, Control& control, const std::string& path = "/health");

// The description of the API (OpenAPI 3.1, JSON).
[[nodiscard]] std::string_view openapi_json() noexcept;

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
// The whole configuration: what every folder owns, under one roof.
#pragma once

#include "api/settings.h"
#include "auth/settings.h"
#include "model/channel.h"
#include "session/settings.h"
#include "transport/settings.h"

#include <fairlead/limits.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace fairlead::server {

struct ListenSettings {
  std::vector<std::string> secure;              // HOST:PORT, unix:PATH
  std::vector<std::string> insecure_cleartext;  // HOST:PORT: everything can be read on its way
  std::string certificate_file, key_file;       // empty: the development certificate
  unsigned threads = 0;                         // 0: one loop per core
  std::string system_calls = "automatic";       // "automatic", "one_by_one" (fairlead/server.h, SystemCalls)
  // Past either a connection is closed when it is accepted. All that come through one proxy have its address.
  std::size_t connections = Limits{}.connections;
  std::size_t connections_per_address = Limits{}.connections_per_address;
};
struct EngineSettings {
  std::string type = "memory";  // "memory", "sqlite"
  std::string path;             // of the database
};
struct AdminSettings {
  bool enabled = false;
  std::string password;
  std::string handler_prefix = "/admin";
};
struct LogSettings {
  std::string level = "info";   // trace debug info warn error none
  std::string format = "text";  // "text", "json"
};

struct Settings {
  ListenSettings listen;
  EngineSettings engine;
  AuthSettings auth;
  SessionSettings session;
  ChannelSettings channel;
  TransportSettings transport;
  HttpApiSettings http_api;
  BackendSettings backend;
  EventDeliverySettings events;
  AttachmentSettings attachments;
  AdminSettings admin;
  LogSettings log;
  bool metrics_enabled = true, health_enabled = true;
  std::string metrics_prefix = "/metrics", health_prefix = "/health";
  std::chrono::milliseconds drain{5'000};  // over which clients are told to come back
  std::string name;                        // of the node; empty: host name and the first listener's port
  bool development = false;                // no configuration was given
};

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
// The composition root: builds the whole server from its settings and ties it together; the only place that names
// engines. A program makes one, waits for signals, and calls these from one thread.
#pragma once

#include "config/settings.h"
#include "model/done.h"

#include <fairlead/log.h>
#include <fairlead/server.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::server {

struct AppOptions {
  std::shared_ptr<const Settings> settings;
  std::string web;  // a folder of pages to serve; empty: none
  LogSink log;
  std::function<void(Server&)> more_routes;  // of the program's own; called once, before it listens
  bool inherit_sockets = false;              // a service manager has opened the sockets (LISTEN_FDS)
};

struct AppDrained {
  std::size_t clients = 0;  // when it began
  DrainReport connections;
};

class App {
 public:
  // Opens the engine, listens, starts the loops. A fault says in one sentence what is wrong; then nothing is left.
  [[nodiscard]] static Outcome<std::unique_ptr<App>> start(AppOptions options);
  virtual ~App() = default;  // stops at once

  // "https://localhost:8443/", one for each listener, as a person would open it.
  [[nodiscard]] virtual std::vector<std::string> urls() const = 0;
  // Takes what can change while it runs; the certificates are read again in any case. A fault leaves all as it was.
  [[nodiscard]] virtual Outcome<void> reload(std::shared_ptr<const Settings> settings) = 0;
  // Nobody new; everybody is told to come back (3001), spread over the window; what is stored is on its disk.
  virtual AppDrained drain(Duration window) = 0;
  virtual void stop() = 0;
};

}  // namespace fairlead::server

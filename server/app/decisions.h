// SPDX-License-Identifier: Apache-2.0
// Everything that decides about clients, built from the settings and replaced as one by a reload: token verifiers, the
// backend's webhooks, the gatekeeper, the revocations, and the delivery of lifecycle events.
#pragma once

#include "api/http_client.h"
#include "auth/policy.h"
#include "auth/revocations.h"
#include "broker/engine.h"
#include "config/settings.h"
#include "metrics/prometheus.h"
#include "model/done.h"

#include <fairlead/log.h>

#include <functional>
#include <memory>
#include <vector>

namespace fairlead::server {

class Decisions {
 public:
  // A key or a CA file that cannot be read is a fault.
  [[nodiscard]] static Outcome<std::unique_ptr<Decisions>> make(std::shared_ptr<const Settings> settings, Store& store,
                                                                EventLog& events, HttpClient& http, LogSink log);
  virtual ~Decisions() = default;

  // For one loop, on which `post` runs what has waited for keys; follows `reconfigure` by itself.
  using Post = std::function<void(std::function<void()>)>;
  [[nodiscard]] virtual std::shared_ptr<Gatekeeper> gatekeeper(Post post) = 0;
  [[nodiscard]] virtual Revocations& revocations() noexcept = 0;
  [[nodiscard]] virtual Backend& backend() noexcept = 0;  // answers on the asking loop; follows `reconfigure`
  [[nodiscard]] virtual Outcome<void> reconfigure(std::shared_ptr<const Settings> settings) = 0;
  // Once the engine runs, before any client: reads what was revoked, begins to deliver events.
  [[nodiscard]] virtual Outcome<void> begin() = 0;
  virtual void end() = 0;
  virtual void event_appended() = 0;  // any thread
  [[nodiscard]] virtual std::vector<MetricFamily> metrics() const = 0;
};

}  // namespace fairlead::server

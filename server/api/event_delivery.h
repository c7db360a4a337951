// SPDX-License-Identifier: Apache-2.0
// Brings lifecycle events to the user's backend: POST {"events":[…]}, signed as webhooks are (api/webhooks.h). A 2xx
// acknowledges the batch, anything else is tried again after a pause that grows. So events come at least once and in
// order; `sequence` tells the repeated ones. What is not acknowledged stays in the log: a new process goes on there.
#pragma once

#include "api/http_client.h"
#include "api/settings.h"
#include "broker/event_log.h"
#include "metrics/prometheus.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::server {

struct EventDeliveryEnvironment {
  std::function<double()> random;                         // [0, 1), for the pauses
  std::function<std::int64_t()> unix_seconds;             // unset: the system's
  std::function<void(const std::string& sentence)> warn;  // delivery has begun to fail; unset: nobody is told
};

struct EventDeliveryStats {
  std::uint64_t delivered = 0, skipped = 0;  // events; skipped: of a kind that is not wanted
  std::uint64_t batches = 0, failures = 0, lost = 0;
  std::uint64_t acknowledged = 0, newest = 0;  // sequences
};

class EventDelivery {
 public:
  // `log` and `client` outlive it. Nothing is sent before `start`.
  EventDelivery(EventDeliverySettings settings, EventLog& log, HttpClient& client,
                EventDeliveryEnvironment environment);
  EventDelivery(const EventDelivery&) = delete;
  EventDelivery& operator=(const EventDelivery&) = delete;
  ~EventDelivery();  // sends nothing more; a batch that is on its way may still arrive, unacknowledged

  void start();
  // From the next batch on; what is on its way goes where it was sent. Without an endpoint nothing is sent.
  void reconfigure(EventDeliverySettings settings);
  // Something was appended. Thread-safe, cheap: call it after every append.
  void appended();
  [[nodiscard]] EventDeliveryStats stats() const;
  [[nodiscard]] std::vector<MetricFamily> metrics() const;

  // The pause after so many failures in a row (1, 2, …): full jitter below a bound that doubles.
  [[nodiscard]] static std::chrono::milliseconds pause(const EventDeliverySettings& settings, unsigned failures,
                                                       double random);

 private:
  struct Core;
  std::shared_ptr<Core> core_;
};

}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
// The node's counters as families for Prometheus.
#pragma once

#include "app/node.h"
#include "metrics/prometheus.h"

#include <fairlead/server.h>

#include <cstdint>
#include <vector>

namespace fairlead::server {

struct NodeCounts {
  const SessionMetrics& sessions;
  std::uint64_t connections, subscriptions;
};
[[nodiscard]] std::vector<MetricFamily> node_metrics(Node& node, const NodeCounts& counts, const ServerStats& library);

}  // namespace fairlead::server

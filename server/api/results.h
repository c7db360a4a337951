// SPDX-License-Identifier: Apache-2.0
// The results of the API as JSON, by their established names.
#pragma once

#include "api/control.h"

#include <map>
#include <string>
#include <vector>

namespace fairlead::server::results {

[[nodiscard]] std::string write(const StreamPosition& position);
[[nodiscard]] std::string write(const std::vector<Answer<StreamPosition>>& responses);
[[nodiscard]] std::string write(const Presence& presence);
[[nodiscard]] std::string write(const PresenceStats& stats);
[[nodiscard]] std::string write(const HistoryAnswer& history);
[[nodiscard]] std::string write(const std::map<std::string, ChannelSummary>& channels);
[[nodiscard]] std::string write(const std::vector<NodeInfo>& nodes);
[[nodiscard]] std::string write(const Connections& connections);
[[nodiscard]] std::string write_rpc(const Payload& data);
[[nodiscard]] std::string write(const TraceAnswer& answer);
[[nodiscard]] std::string write(const LifecycleEvents& events);

// {"code":…,"message":…}
[[nodiscard]] std::string write(const ClientError& error);
// One event, as it is also delivered by webhook.
[[nodiscard]] std::string write(const LifecycleEvent& event);

}  // namespace fairlead::server::results

// SPDX-License-Identifier: Apache-2.0
// What an SDK makes of the frames that it gets: each publication's payload as it stands on the wire, whole or as a
// delta, read by readers that are not the server's writers.
#pragma once

#include "hub/delivery.h"
#include "model/command.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fairlead::server::testing {

struct Received {
  std::string data;  // of a subscription with deltas: the text or bytes, or the delta to the ones before
  bool delta = false;
  std::uint64_t offset = 0;
};

// The one publication of a pushed frame.
[[nodiscard]] Received read_push(const Delivery& delivery, const WireForm& form);
// What was recovered, by channel; the reply to `subscribe` is under the empty name.
[[nodiscard]] std::map<std::string, std::vector<Received>> read_recovered(const Reply& reply, WireFormat format);

// The payload of a publication as a client with deltas sees it whole.
[[nodiscard]] std::string payload_text(const std::string& data, bool json, WireFormat format);

}  // namespace fairlead::server::testing

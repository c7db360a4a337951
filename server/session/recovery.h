// SPDX-License-Identifier: Apache-2.0
// Whether a client that comes back can be told everything that it has missed, and what that is.
#pragma once

#include "broker/broker.h"
#include "model/publication.h"

#include <vector>

namespace fairlead::server {

struct Catchup {
  bool recovered = false;
  std::vector<PublicationPtr> publications;  // oldest first, and only when recovered
};

// Everything after `since`: `history` is what was read from there upwards.
[[nodiscard]] Catchup recover_stream(const StreamPosition& since, History history);
// The newest one alone, unless the client has it: `history` is the newest publication, if any.
[[nodiscard]] Catchup recover_newest(const StreamPosition& since, History history);

}  // namespace fairlead::server

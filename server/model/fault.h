// SPDX-License-Identifier: Apache-2.0
// What goes wrong on our side of the wire: an engine that is full, a backend that is dead, a key that is wrong. Clients
// see only the protocol's code for it; the sentence is for the operator's log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead::server {

enum class FaultKind : std::uint8_t {
  unavailable,  // cannot be reached or is stopping; trying again may help
  timed_out,    // did not answer in time; it may have happened or not
  full,         // no room: disk, quota, queue
  corrupt,      // what was stored cannot be trusted
  invalid,      // the request breaks a rule of the engine: not to be repeated
  unsupported,  // this engine cannot do that
  internal,     // none of these
};

struct Fault {
  FaultKind kind = FaultKind::internal;
  std::string sentence;  // one sentence, without payloads, tokens or queries
};

[[nodiscard]] std::string_view name(FaultKind kind) noexcept;

}  // namespace fairlead::server

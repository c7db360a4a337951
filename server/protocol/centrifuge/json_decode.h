// SPDX-License-Identifier: Apache-2.0
// Frames of JSON clients: one command a line.
#pragma once

#include "protocol/codec.h"

#include <optional>
#include <string_view>
#include <vector>

namespace fairlead::server::centrifuge {

// Nothing when any line is not a command: invalid JSON or UTF-8, a blank line, a value of the wrong type, too much of
// something. Unknown members are skipped, of equal ones the last counts, null is as good as nothing.
[[nodiscard]] std::optional<std::vector<Command>> decode_json(std::string_view frame, const CodecLimits& limits);
[[nodiscard]] std::optional<EmulationRequest> decode_json_emulation(std::string_view body, const CodecLimits& limits);

}  // namespace fairlead::server::centrifuge

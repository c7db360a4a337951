// SPDX-License-Identifier: Apache-2.0
// Frames of Protobuf clients: commands one after the other, each with its length before it.
#pragma once

#include "protocol/codec.h"

#include <optional>
#include <vector>

namespace fairlead::server::centrifuge {

// Nothing when a length or a message is malformed, when a text is no UTF-8, or when there is too much of something.
[[nodiscard]] std::optional<std::vector<Command>> decode_protobuf(Bytes frame, const CodecLimits& limits);
// One message without a length, like the body that it is.
[[nodiscard]] std::optional<EmulationRequest> decode_protobuf_emulation(Bytes body, const CodecLimits& limits);

// The length at the beginning of `rest`, which is left behind it. Nothing when it is cut off, longer than it needs to
// be, or more than what is left.
[[nodiscard]] std::optional<std::size_t> take_length(Bytes& rest) noexcept;

}  // namespace fairlead::server::centrifuge

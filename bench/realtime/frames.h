// SPDX-License-Identifier: Apache-2.0
// As much of RFC 6455 as the generator needs: the opening handshake, masked frames out, plain frames in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::bench {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

struct Frame {
  Opcode opcode = Opcode::text;
  bool final = true;
  std::string_view payload;
};

[[nodiscard]] std::string upgrade_request(std::string_view path, std::string_view subprotocol);
// Appends it. RFC 6455 5.3: a client masks.
void write_frame(Opcode opcode, std::string_view payload, std::string& out);
// Takes the first frame off `bytes`; nothing while it is not there in full.
[[nodiscard]] std::optional<Frame> read_frame(std::string_view& bytes);

}  // namespace fairlead::bench

// SPDX-License-Identifier: Apache-2.0
#include "frames.h"

#include <array>
#include <random>

namespace fairlead::bench {

namespace {

constexpr std::size_t short_length = 125;
constexpr std::uint8_t length_of_16_bits = 126, length_of_64_bits = 127;
constexpr std::uint8_t final_bit = 0x80, mask_bit = 0x80;

void append_number(std::uint64_t number, std::size_t bytes, std::string& out) {
  for (std::size_t i = bytes; i-- > 0;) out.push_back(static_cast<char>(number >> (8 * i)));
}

std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < count; ++i) number = number << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return number;
}

}  // namespace

std::string upgrade_request(std::string_view path, std::string_view subprotocol) {
  std::string text("GET ");
  text.append(path).append(
      " HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
  if (!subprotocol.empty()) text.append("Sec-WebSocket-Protocol: ").append(subprotocol).append("\r\n");
  return text.append("\r\n");
}

void write_frame(Opcode opcode, std::string_view payload, std::string& out) {
  static thread_local std::mt19937 random{std::random_device{}()};
  out.push_back(static_cast<char>(final_bit | static_cast<std::uint8_t>(opcode)));
  if (payload.size() <= short_length) {
    out.push_back(static_cast<char>(mask_bit | payload.size()));
  } else if (payload.size() <= 0xFFFF) {
    out.push_back(static_cast<char>(mask_bit | length_of_16_bits));
    append_number(payload.size(), 2, out);
  } else {
    out.push_back(static_cast<char>(mask_bit | length_of_64_bits));
    append_number(payload.size(), 8, out);
  }
  const std::uint32_t key = static_cast<std::uint32_t>(random());
  append_number(key, 4, out);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    out.push_back(static_cast<char>(payload[i] ^ static_cast<char>(key >> (8 * (3 - i % 4)))));
  }
}

std::optional<Frame> read_frame(std::string_view& bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const auto first = static_cast<std::uint8_t>(bytes[0]);
  const auto marker = static_cast<std::uint8_t>(bytes[1]);
  const std::size_t more = marker == length_of_64_bits ? 8 : marker == length_of_16_bits ? 2 : 0;
  if (bytes.size() < 2 + more) return std::nullopt;
  const std::uint64_t length = more == 0 ? marker : number_at(bytes, 2, more);
  if (bytes.size() - 2 - more < length) return std::nullopt;
  const std::string_view payload = bytes.substr(2 + more, length);
  bytes.remove_prefix(2 + more + payload.size());
  return Frame{static_cast<Opcode>(first & 0x0F), (first & final_bit) != 0, payload};
}

}  // namespace fairlead::bench

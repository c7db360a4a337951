// SPDX-License-Identifier: Apache-2.0
#include "ws/frame.h"

#include "base/assert.h"

#include <algorithm>
#include <cstring>

namespace fairlead::ws {
namespace {

constexpr unsigned fin_bit = 0x80;
constexpr unsigned rsv1_bit = 0x40;
constexpr unsigned rsv2_and_3_bits = 0x30;
constexpr unsigned opcode_bits = 0x0F;
constexpr unsigned mask_bit = 0x80;
constexpr unsigned length_bits = 0x7F;
constexpr unsigned length_16 = 126;  // the next two bytes hold the length
constexpr unsigned length_64 = 127;  // the next eight bytes do
constexpr std::uint64_t largest_16 = 0xFFFF;

unsigned byte_at(Bytes in, std::size_t index) noexcept { return std::to_integer<unsigned>(in[index]); }

std::uint64_t big_endian(Bytes in) noexcept {
  std::uint64_t value = 0;
  for (const std::byte byte : in) value = value << 8U | std::to_integer<std::uint64_t>(byte);
  return value;
}

void put_big_endian(std::uint64_t value, MutableBytes out) noexcept {
  for (std::size_t index = out.size(); index-- > 0; value >>= 8U) out[index] = static_cast<std::byte>(value & 0xFFU);
}

bool is_reserved(unsigned opcode) noexcept { return (opcode > 0x2 && opcode < 0x8) || opcode > 0xA; }

// RFC 6455 5.2, first byte: FIN, RSV1–3, opcode.
std::optional<Errc> first_byte_fault(unsigned first, FrameRules rules) noexcept {
  const unsigned opcode = first & opcode_bits;
  // 5.2: RSV bits MUST be 0 unless an extension is negotiated that defines meanings for non-zero values.
  if ((first & rsv2_and_3_bits) != 0) return Errc::frame_reserved_bit;
  if (is_reserved(opcode)) return Errc::frame_reserved_opcode;
  // RFC 7692 6: RSV1 is set on the first frame of a message only: neither on a continuation nor on a control frame.
  const bool may_be_compressed = rules.deflate && (opcode == 0x1 || opcode == 0x2);
  if ((first & rsv1_bit) != 0 && !may_be_compressed) return Errc::frame_reserved_bit;
  // 5.5: all control frames MUST NOT be fragmented.
  if ((opcode & 0x8U) != 0 && (first & fin_bit) == 0) return Errc::control_frame_fragmented;
  return std::nullopt;
}

// RFC 6455 5.2, second byte: MASK, payload length.
std::optional<Errc> second_byte_fault(unsigned first, unsigned second, FrameRules rules) noexcept {
  const bool masked = (second & mask_bit) != 0;
  // 5.1: the server MUST close the connection upon receiving a frame that is not masked.
  if (rules.reader == Role::server && !masked) return Errc::frame_not_masked;
  // 5.1: a client MUST close a connection if it detects a masked frame.
  if (rules.reader == Role::client && masked) return Errc::frame_masked;
  // 5.5: all control frames MUST have a payload length of 125 bytes or less.
  if ((first & 0x8U) != 0 && (second & length_bits) > max_control_payload_bytes) return Errc::control_frame_too_long;
  return std::nullopt;
}

std::optional<Errc> length_fault(unsigned short_length, std::uint64_t length) noexcept {
  // 5.2: the minimal number of bytes MUST be used to encode the length.
  if (short_length == length_16 && length < length_16) return Errc::frame_length_not_minimal;
  if (short_length == length_64 && length <= largest_16) return Errc::frame_length_not_minimal;
  return std::nullopt;
}

std::size_t extension_bytes(unsigned short_length) noexcept {
  if (short_length < length_16) return 0;
  return short_length == length_16 ? 2 : 8;
}

}  // namespace

std::expected<std::optional<FrameHeader>, Errc> parse_frame_header(Bytes in, FrameRules rules) noexcept {
  if (in.empty()) return std::nullopt;
  const unsigned first = byte_at(in, 0);
  if (const auto fault = first_byte_fault(first, rules)) return std::unexpected(*fault);
  if (in.size() < 2) return std::nullopt;
  const unsigned second = byte_at(in, 1);
  if (const auto fault = second_byte_fault(first, second, rules)) return std::unexpected(*fault);

  const unsigned short_length = second & length_bits;
  const std::size_t extension = extension_bytes(short_length);
  // 5.2: the most significant bit of the 64 bits MUST be 0.
  if (extension == 8 && in.size() > 2 && byte_at(in, 2) > 0x7F) return std::unexpected(Errc::frame_length_too_large);
  const bool masked = (second & mask_bit) != 0;
  const std::size_t size = 2 + extension + (masked ? sizeof(MaskKey) : 0);
  if (in.size() < 2 + extension) return std::nullopt;
  const std::uint64_t length = extension == 0 ? short_length : big_endian(in.subspan(2, extension));
  if (const auto fault = length_fault(short_length, length)) return std::unexpected(*fault);
  if (in.size() < size) return std::nullopt;

  FrameHeader header{.payload_bytes = length,
                     .mask = {},
                     .opcode = static_cast<Opcode>(first & opcode_bits),
                     .fin = (first & fin_bit) != 0,
                     .rsv1 = (first & rsv1_bit) != 0,
                     .masked = masked,
                     .size = static_cast<std::uint8_t>(size)};
  if (masked) std::memcpy(header.mask.data(), in.data() + 2 + extension, sizeof(MaskKey));
  return header;
}

std::size_t header_bytes(std::uint64_t payload_bytes, bool masked) noexcept {
  const std::size_t mask = masked ? sizeof(MaskKey) : 0;
  if (payload_bytes < length_16) return 2 + mask;
  return (payload_bytes <= largest_16 ? 4 : 10) + mask;
}

std::size_t write_frame_header(const FrameHeader& header, MutableBytes out) noexcept {
  const std::size_t size = header_bytes(header.payload_bytes, header.masked);
  FAIRLEAD_ASSERT(out.size() >= size);
  const std::size_t extension = size - 2 - (header.masked ? sizeof(MaskKey) : 0);
  const auto opcode = static_cast<unsigned>(header.opcode);
  out[0] = static_cast<std::byte>((header.fin ? fin_bit : 0U) | (header.rsv1 ? rsv1_bit : 0U) | opcode);
  const auto short_length = extension == 0   ? static_cast<unsigned>(header.payload_bytes)
                            : extension == 2 ? length_16
                                             : length_64;
  out[1] = static_cast<std::byte>((header.masked ? mask_bit : 0U) | short_length);
  put_big_endian(header.payload_bytes, out.subspan(2, extension));
  if (header.masked) std::ranges::copy(header.mask, out.subspan(2 + extension).begin());
  return size;
}

}  // namespace fairlead::ws

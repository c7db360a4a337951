// SPDX-License-Identifier: Apache-2.0
// Protobuf's wire format by hand, so that golden messages in tests name the field numbers themselves.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead::server::centrifuge::wire_testing {

inline std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80U; value >>= 7U) out.push_back(static_cast<char>(static_cast<unsigned char>(value | 0x80U)));
  out.push_back(static_cast<char>(value));
  return out;
}
inline std::string number(unsigned field, std::uint64_t value) { return varint(field << 3U) + varint(value); }
inline std::string bytes(unsigned field, std::string_view value) {
  return varint(field << 3U | 2U) + varint(value.size()) + std::string(value);
}
inline std::string entry(unsigned field, std::string_view key, std::string_view value) {
  return bytes(field, bytes(1, key) + bytes(2, value));
}
inline std::string delimited(std::string_view message) { return varint(message.size()) + std::string(message); }

}  // namespace fairlead::server::centrifuge::wire_testing

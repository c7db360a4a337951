// SPDX-License-Identifier: Apache-2.0
// What the targets over HTTP/1.1 share: small limits, random pieces, outcomes as text that can be compared.
#pragma once

#include "base/assert.h"

#include <fairlead/bytes.h>
#include <fairlead/http.h>
#include <fairlead/limits.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead::fuzz {

// Small, so that the fuzzer meets every limit.
inline Limits small_limits() {
  Limits limits;
  limits.http_head_bytes = 512;
  limits.http_header_count = 12;
  limits.http_body_bytes = 64;
  return limits;
}

// Calls `feed` with consecutive pieces whose lengths the seed chooses.
template <class Feed>
void in_pieces(std::string_view wire, std::uint32_t seed, Feed feed) {
  while (!wire.empty()) {
    seed = seed * 1'664'525 + 1'013'904'223;
    const auto piece = wire.substr(0, 1 + (seed >> 24) % 40);
    wire.remove_prefix(piece.size());
    feed(piece);
  }
}

inline std::string describe(const Headers& headers) {
  std::string text;
  for (const auto& [name, value] : headers) {
    // No input may put a line end, or a control character, into a field.
    for (const char c : name + value) {
      const auto byte = static_cast<unsigned char>(c);
      FAIRLEAD_ASSERT((byte >= 0x20 && byte != 0x7F) || byte == '\t');
    }
    text += name + "=" + value + "\n";
  }
  return text;
}

}  // namespace fairlead::fuzz

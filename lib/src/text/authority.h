// SPDX-License-Identifier: Apache-2.0
// `host [ ":" port ]` as it stands in Host, Origin and absolute targets (RFC 3986 3.2). Narrower than the RFC: the
// characters of DNS names and IP literals alone, which is all that a reachable host has.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::text {

struct Authority {
  std::string host;                   // lower case, an IPv6 literal without brackets
  std::optional<std::uint16_t> port;  // nullopt when absent or empty

  friend bool operator==(const Authority&, const Authority&) = default;
};
[[nodiscard]] std::optional<Authority> parse_authority(std::string_view text);

}  // namespace fairlead::text

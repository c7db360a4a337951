// SPDX-License-Identifier: Apache-2.0
#include "text/authority.h"

#include "text/tokens.h"

#include <algorithm>

namespace fairlead::text {
namespace {

bool is_letter_or_digit(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_name_character(char c) noexcept { return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_'; }
bool is_ipv6_character(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
}

// The host's text and what follows it.
struct Split {
  std::string_view host;
  std::string_view rest;
};

std::optional<Split> split_host(std::string_view text) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const auto host = text.substr(1, end - 1);
    // Two colons at least: every IPv6 address has them, no other literal does.
    if (std::ranges::count(host, ':') < 2 || !std::ranges::all_of(host, is_ipv6_character)) return std::nullopt;
    return Split{host, text.substr(end + 1)};
  }
  const auto end = std::min(text.find(':'), text.size());
  const auto host = text.substr(0, end);
  if (host.empty() || !std::ranges::all_of(host, is_name_character)) return std::nullopt;
  return Split{host, text.substr(end)};
}

}  // namespace

std::optional<Authority> parse_authority(std::string_view text) {
  const auto split = split_host(text);
  if (!split) return std::nullopt;
  Authority authority{to_lower(split->host), std::nullopt};
  if (split->rest.empty() || split->rest == ":") return authority;
  const auto port = split->rest.starts_with(':') ? parse_decimal(split->rest.substr(1)) : std::nullopt;
  if (!port || *port > UINT16_MAX) return std::nullopt;
  authority.port = static_cast<std::uint16_t>(*port);
  return authority;
}

}  // namespace fairlead::text

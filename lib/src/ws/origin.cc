// SPDX-License-Identifier: Apache-2.0
#include "ws/origin.h"

#include "text/authority.h"
#include "text/tokens.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::ws {
namespace {

// RFC 6454 4: scheme, host and port. Ports are explicit here, so that equal origins are equal texts and numbers.
struct Origin {
  std::string scheme;
  std::string host;
  std::optional<std::uint16_t> port;  // nullopt for schemes that have none

  friend bool operator==(const Origin&, const Origin&) = default;
};

std::optional<std::uint16_t> default_port(std::string_view scheme) {
  if (scheme == "https") return 443;
  if (scheme == "http") return 80;
  return std::nullopt;
}

// RFC 6454 6.2: `scheme "://" host [ ":" port ]` and nothing else: no path, no user, no list.
std::optional<Origin> parse_origin(std::string_view text) {
  const auto colon = text.find("://");
  if (colon == std::string_view::npos || !text::is_token(text.substr(0, colon))) return std::nullopt;
  const auto authority = text::parse_authority(text.substr(colon + 3));
  if (!authority) return std::nullopt;
  Origin origin{text::to_lower(text.substr(0, colon)), authority->host, authority->port};
  if (!origin.port) origin.port = default_port(origin.scheme);
  return origin;
}

bool is_same_origin(const Origin& page, const Request& request) {
  const auto host = text::parse_authority(request.host());
  if (!host) return false;
  // A channel in cleartext may lie behind a proxy that ended TLS, so there the page may be secure. The reverse, a page
  // that anybody on its way may have changed, must not get at a secure channel.
  const bool scheme_fits = page.scheme == "https" || (page.scheme == "http" && !request.secure());
  const auto port = host->port ? host->port : default_port(page.scheme);
  return scheme_fits && page.host == host->host && page.port == port;
}

bool is_allowed(const Origin& page, const OriginPolicy& policy) {
  return std::ranges::any_of(policy.allowed, [&](const auto& entry) { return parse_origin(entry) == page; });
}

bool host_matches(const text::Authority& host, std::string_view entry, bool secure) {
  const auto wanted = text::parse_authority(entry);
  if (!wanted || wanted->host != host.host) return false;
  const std::uint16_t port = host.port.value_or(secure ? 443 : 80);
  return !wanted->port || *wanted->port == port;
}

}  // namespace

Result<void> check_host(const Request& request, const OriginPolicy& policy) {
  if (policy.hosts.empty()) return {};
  const auto host = text::parse_authority(request.host());
  const auto matches = [&](const auto& entry) { return host_matches(*host, entry, request.secure()); };
  if (host && std::ranges::any_of(policy.hosts, matches)) return {};
  return fail(Errc::http_host_invalid, "Host is none of this server's names");
}

Result<void> check_origin(const Request& request, const OriginPolicy& policy) {
  if (auto checked = check_host(request, policy); !checked) return checked;
  if (policy.dangerously_allow_any_origin) return {};
  const auto origins = request.headers.all("Origin");
  if (origins.empty()) {
    if (policy.allow_absent) return {};
    return fail(Errc::handshake_origin_denied, "an Origin is demanded");
  }
  if (origins.size() > 1) return fail(Errc::handshake_origin_denied, "more than one Origin");
  if (origins.front() == "null") {
    if (policy.dangerously_allow_null_origin) return {};
    return fail(Errc::handshake_origin_denied, "the origin null is not allowed");
  }
  const auto page = parse_origin(origins.front());
  if (page && ((policy.same_origin && is_same_origin(*page, request)) || is_allowed(*page, policy))) return {};
  return fail(Errc::handshake_origin_denied, "the page's origin is not allowed");
}

}  // namespace fairlead::ws

namespace fairlead {

bool is_origin(std::string_view entry) { return ws::parse_origin(entry).has_value(); }
bool is_host(std::string_view entry) { return text::parse_authority(entry).has_value(); }

}  // namespace fairlead

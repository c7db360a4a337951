// SPDX-License-Identifier: Apache-2.0
#include "http1/target.h"

#include "text/authority.h"
#include "text/percent.h"
#include "text/tokens.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace fairlead::http1 {
namespace {

// RFC 9112 3.2: a server MUST answer 400 to a 1.1 request without Host, and to any with more than one or an invalid
// one.
Result<void> check_host(const Request& request) {
  const std::size_t count = request.headers.count("Host");
  if (count == 0 && request.version == HttpVersion::http_1_0) return {};
  if (count != 1) return fail(Errc::http_host_invalid, "Host must be there exactly once");
  if (!text::parse_authority(request.host())) return fail(Errc::http_host_invalid, "Host is not a host");
  return {};
}

// The part of an absolute target behind its authority, whose host replaces Host; the target itself when it is not
// absolute.
Result<std::string_view> strip_authority(Request& request) {
  static constexpr std::array<std::string_view, 4> schemes = {"http", "https", "ws", "wss"};
  const std::string_view target = request.target;
  const auto colon = target.find("://");
  if (target.starts_with('/') || colon == std::string_view::npos) return target;
  const auto known = [&](auto scheme) { return text::equals_ignoring_case(scheme, target.substr(0, colon)); };
  if (!std::ranges::any_of(schemes, known)) return fail(Errc::http_malformed, "a target of a foreign scheme");
  const auto rest = target.substr(colon + 3);
  const auto end = std::min(rest.find_first_of("/?"), rest.size());
  if (!text::parse_authority(rest.substr(0, end))) return fail(Errc::http_malformed, "a target without a valid host");
  // RFC 9112 3.2.2: the server "MUST ignore the received Host header field (if any) and instead replace it".
  request.headers.set("Host", rest.substr(0, end));
  return rest.substr(end);
}

}  // namespace

Result<void> resolve_target(Request& request) {
  if (auto checked = check_host(request); !checked) return checked;
  const auto visible = [](char c) { return c > 0x20 && c < 0x7F && c != '#'; };
  if (!std::ranges::all_of(request.target, visible)) return fail(Errc::http_malformed, "the target is not a URL");
  if (request.target == "*" && request.method == "OPTIONS") {
    request.path = "*";
    return {};
  }
  const auto target = strip_authority(request);
  if (!target) return std::unexpected(target.error());
  const auto question = std::min(target->find('?'), target->size());
  const auto raw_path = target->substr(0, question);
  const bool absolute_without_path = raw_path.empty() && request.target != *target;
  auto path = text::decode_path(absolute_without_path ? "/" : raw_path);
  if (!path) return fail(Errc::http_malformed, "the path is ambiguous or malformed");
  request.path = std::move(*path);
  request.query = target->substr(std::min(question + 1, target->size()));
  return {};
}

}  // namespace fairlead::http1

// SPDX-License-Identifier: Apache-2.0
#include "transport/origins.h"

#include "model/glob.h"

#include <algorithm>
#include <cstddef>

namespace fairlead::server {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view without_default_port(std::string_view authority, std::string_view port) noexcept {
  return authority.ends_with(port) ? authority.substr(0, authority.size() - port.size()) : authority;
}

}  // namespace

bool is_own_origin(std::string_view origin, const Request& request) noexcept {
  const std::size_t split = origin.find("://");
  if (split == std::string_view::npos) return false;
  const std::string_view scheme = origin.substr(0, split);
  const bool https = same_ignoring_case(scheme, "https");
  if (!https && (request.secure() || !same_ignoring_case(scheme, "http"))) return false;
  const std::string_view port = https ? ":443" : ":80";
  const std::string_view host = request.host();
  return !host.empty() &&
         same_ignoring_case(without_default_port(origin.substr(split + 3), port), without_default_port(host, port));
}

bool Origins::allow(const Request& request) const {
  const auto origin = request.origin();
  if (!origin) return true;
  if (request.headers.count("Origin") != 1) return false;
  if (is_own_origin(*origin, request)) return true;
  return std::ranges::any_of(globs_,
                             [&](const std::string& glob) { return matches_glob(glob, *origin, LetterCase::ignored); });
}

void Origins::add_cors(const Request& request, Headers& headers) const {
  const auto origin = request.origin();
  if (!origin || !allow(request)) return;
  headers.add("Access-Control-Allow-Origin", *origin);
  headers.add("Access-Control-Allow-Credentials", "true");
  headers.add("Vary", "Origin");
}

}  // namespace fairlead::server

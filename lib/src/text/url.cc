// SPDX-License-Identifier: Apache-2.0
// The grammar is Boost.URL's (RFC 3986); what a WebSocket client accepts of it is ours.
#include <fairlead/url.h>

#include "text/authority.h"
#include "text/tokens.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <array>

namespace fairlead {
namespace {

constexpr std::array<std::string_view, 4> schemes = {"wss", "ws", "https", "http"};

Result<std::string> read_scheme(const boost::urls::url_view& view) {
  auto scheme = text::to_lower(std::string_view(view.scheme().data(), view.scheme().size()));
  for (const auto known : schemes) {
    if (scheme == known) return scheme;
  }
  return fail(Errc::bad_url, "the scheme must be wss, ws, https or http");
}

// What stands between "//" and the path. Taken from the text itself: Boost.URL 1.81 reads "wss://h:x" as the host "h"
// with an empty port followed by a path that does not begin with a slash.
std::string_view authority_of(std::string_view text) {
  const auto begin = std::min(text.find("//"), text.size() - 2) + 2;
  return text.substr(begin, text.find_first_of("/?#", begin) - begin);
}

Result<void> read_authority(const boost::urls::url_view& view, std::string_view whole, Url& url) {
  if (view.has_userinfo()) return fail(Errc::bad_url, "a user name or password must not stand in the address");
  const auto authority = text::parse_authority(authority_of(whole));
  if (!authority) return fail(Errc::bad_url, "the host or the port is not valid");
  if (authority->host == ".")
    return fail(Errc::bad_url, "the host or the port is not valid");  // the root has no server
  if (authority->port == 0) return fail(Errc::bad_url, "port 0 cannot be connected to");
  url.host = authority->host;
  url.port = authority->port.value_or(url.default_port());
  url.host_is_ip = view.host_type() == boost::urls::host_type::ipv4 || view.host_type() == boost::urls::host_type::ipv6;
  return {};
}

std::string read_target(const boost::urls::url_view& view) {
  const auto text = view.encoded_target();
  std::string target(text.data(), text.size());
  // RFC 6455 3: "/" if the path component is empty.
  if (!target.starts_with('/')) target.insert(target.begin(), '/');
  return target;
}

}  // namespace

std::string Url::host_field() const {
  std::string field = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != default_port()) field.append(":").append(std::to_string(port));
  return field;
}

std::string Url::redacted() const {
  const bool has_query = target.find('?') != std::string::npos;
  return scheme + "://" + host_field() + std::string(path()) + (has_query ? "?…" : "");
}

std::string Url::text() const { return scheme + "://" + host_field() + target; }

Result<Url> parse_url(std::string_view text) {
  const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
  if (!parsed) return fail(Errc::bad_url, "not an absolute address such as wss://example.org/path");
  if (!parsed->has_authority()) return fail(Errc::bad_url, "the host is missing");
  // RFC 6455 3: "Fragment identifiers are meaningless in the context of WebSocket URIs and MUST NOT be used".
  if (parsed->has_fragment()) return fail(Errc::bad_url, "a fragment (#…) must not stand in the address");
  auto scheme = read_scheme(*parsed);
  if (!scheme) return std::unexpected(scheme.error());
  Url url;
  url.scheme = std::move(*scheme);
  if (auto read = read_authority(*parsed, text, url); !read) return std::unexpected(read.error());
  url.target = read_target(*parsed);
  return url;
}

}  // namespace fairlead

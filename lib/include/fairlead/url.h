// SPDX-License-Identifier: Apache-2.0
// The address of a server: wss, ws, https or http.
#pragma once

#include <fairlead/error.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead {

struct Url {
  std::string scheme;  // lower case: "wss", "ws", "https", "http"
  std::string host;    // lower case; an IPv6 literal stands without its brackets
  std::uint16_t port = 0;
  std::string target;  // path and query as they go into the request line; at least "/"
  bool host_is_ip = false;

  [[nodiscard]] bool secure() const noexcept { return scheme == "wss" || scheme == "https"; }
  [[nodiscard]] bool is_websocket() const noexcept { return scheme == "wss" || scheme == "ws"; }
  [[nodiscard]] std::uint16_t default_port() const noexcept { return secure() ? 443 : 80; }
  // For the Host field: brackets around IPv6, the port only when it is not the scheme's default (RFC 6455 4.1).
  [[nodiscard]] std::string host_field() const;
  // The path alone, without the query.
  [[nodiscard]] std::string_view path() const noexcept { return std::string_view(target).substr(0, target.find('?')); }
  // For logs: the whole address with the query left out, since queries carry tokens ("wss://example.org/chat?…").
  [[nodiscard]] std::string redacted() const;
  // The whole address, query included.
  [[nodiscard]] std::string text() const;

  friend bool operator==(const Url&, const Url&) = default;
};

// Refuses (Errc::bad_url) other schemes, user names and passwords, fragments (RFC 6455 3: a fragment MUST NOT be used),
// an empty host, port 0, and characters that a request line must not hold. The detail names the rule, not the address.
[[nodiscard]] Result<Url> parse_url(std::string_view text);

}  // namespace fairlead

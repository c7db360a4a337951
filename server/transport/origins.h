// SPDX-License-Identifier: Apache-2.0
// Which pages may use the transports: the page's own origin and the configured ones. Browsers ask for WebSockets
// without CORS, so the check is made here for all of them alike.
#pragma once

#include <fairlead/http.h>

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::server {

// RFC 6454 5: whether `origin` is the request's own scheme, host and port. What came by TLS needs an https page; what
// came in cleartext may have come through a proxy that ended TLS, so either will do.
[[nodiscard]] bool is_own_origin(std::string_view origin, const Request& request) noexcept;

class Origins {
 public:
  // Globs without case (model/glob.h): "https://*.example.org", "https://example.org:8443", "*".
  explicit Origins(std::vector<std::string> globs) : globs_(std::move(globs)) {}

  // A request without Origin comes from a program and passes; "null" passes only if a glob says so.
  [[nodiscard]] bool allow(const Request& request) const;
  // The fields that let an allowed page of another origin read the answer (CORS).
  void add_cors(const Request& request, Headers& headers) const;

 private:
  std::vector<std::string> globs_;
};

}  // namespace fairlead::server

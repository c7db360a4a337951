// SPDX-License-Identifier: Apache-2.0
// Which web pages may open a channel. Browsers send cookies with a WebSocket handshake and do not apply CORS to it, so
// without this check any page may speak in its visitor's name (cross-site WebSocket hijacking, CWE-1385).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fairlead {

struct OriginPolicy {
  // The page's scheme, host and port are those of the request's Host field.
  bool same_origin = true;
  // Further origins, each "https://example.org" or "https://example.org:8443": compared as scheme, host and port as a
  // whole, never as text within text, no wildcards. An entry that is not such an origin matches nothing.
  std::vector<std::string> allowed{};
  // Programs send no Origin. Switch off for an endpoint that serves browsers alone.
  bool allow_absent = true;
  // "Origin: null" (a sandboxed frame, a file) is denied unless this is set: any page can produce it.
  bool dangerously_allow_null_origin = false;
  // Any page on the web may open a channel with its visitor's cookies.
  bool dangerously_allow_any_origin = false;
  // When not empty: the only names that Host may hold ("example.org", "localhost:8443"; without a port: any port).
  // Guards against DNS rebinding; applies with and without an Origin, and is not lifted by the switches above. The
  // server's own policy holds for ordinary requests and files, too; others are answered 400.
  std::vector<std::string> hosts{};
};

// Whether an entry of `allowed`, or of `hosts`, can match anything: for those who read entries from people.
[[nodiscard]] bool is_origin(std::string_view entry);
[[nodiscard]] bool is_host(std::string_view entry);

}  // namespace fairlead

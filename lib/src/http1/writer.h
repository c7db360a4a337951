// SPDX-License-Identifier: Apache-2.0
// Requests and responses as bytes.
#pragma once

#include "base/buffer.h"

#include <fairlead/error.h>
#include <fairlead/http.h>

#include <chrono>
#include <optional>

namespace fairlead::http1 {

// What the writer must know of the request that is answered.
struct ResponseContext {
  bool head_only = false;                                     // the method was HEAD: same head, no body
  bool keep_alive = false;                                    // else "Connection: close"
  HttpVersion version = HttpVersion::http_1_1;                // of the request: 1.0 needs an explicit keep-alive
  std::optional<std::chrono::system_clock::time_point> date;  // Date is left out without it
};
// From a request: HEAD or not, and whether its connection stays open (RFC 9112 9.3).
[[nodiscard]] ResponseContext context_of(const Request& request);
[[nodiscard]] bool keeps_alive(const Request& request);

// Appends head and body. Bodies of files and of streams are not written: that is the driver's work, unless `head_only`
// or the status forbids a body (`has_body`). Content-Length, Connection, Transfer-Encoding and Date among the
// response's own fields are left out (a stream's head says `chunked`, or nothing to an HTTP/1.0 client, whose context
// must not keep the connection); a 101 keeps its own Connection field. A status outside 100–999 is a bug of ours.
void write_response(const Response& response, const ResponseContext& context, Buffer& out);
// Whether bytes follow the head: not for HEAD, 1xx, 204 and 304 (RFC 9112 6.3).
[[nodiscard]] bool has_body(const Response& response, const ResponseContext& context);

// Appends method, target, fields and body. invalid_argument when the method is not a token or the target holds
// something other than visible ASCII; nothing is written then. Content-Length is written when there is a body.
[[nodiscard]] Result<void> write_request(const Request& request, Buffer& out);

}  // namespace fairlead::http1

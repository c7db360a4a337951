// SPDX-License-Identifier: Apache-2.0
// A whole head as a request or a response. The only code that sees Boost.Beast.
#pragma once

#include <fairlead/error.h>
#include <fairlead/http.h>

#include <string_view>

namespace fairlead::http1 {

// `head` is what HeadScanner found, so its lines are well-formed. The request's path, query and Host are checked and
// filled in; its body is not there yet. Errors: http_malformed, http_unsupported_version, http_host_invalid.
[[nodiscard]] Result<Request> parse_request_head(std::string_view head);

struct ResponseHead {
  int status = 0;
  HttpVersion version = HttpVersion::http_1_1;
  Headers headers;
};
[[nodiscard]] Result<ResponseHead> parse_response_head(std::string_view head);

}  // namespace fairlead::http1

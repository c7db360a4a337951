// SPDX-License-Identifier: Apache-2.0
#include "http1/errors.h"

namespace fairlead::http1 {

int status_for(Errc code) noexcept {
  switch (code) {
    case Errc::http_malformed:
    case Errc::http_host_invalid:
    case Errc::handshake_bad_connection:
    case Errc::handshake_bad_key:
    case Errc::handshake_bad_subprotocol:
    case Errc::handshake_bad_extension:
    case Errc::unexpected_eof:
    case Errc::tls_plaintext_received:
      return 400;
    case Errc::tls_client_certificate_missing:
    case Errc::handshake_origin_denied:
      return 403;
    case Errc::handshake_not_found:
      return 404;
    case Errc::handshake_bad_method:
      return 405;
    case Errc::http_timeout:
    case Errc::idle_timeout:
      return 408;
    case Errc::http_body_too_large:
      return 413;
    case Errc::handshake_bad_upgrade:  // RFC 9110 15.5.22: the resource wants another protocol
    case Errc::handshake_bad_version:  // RFC 6455 4.4
      return 426;
    case Errc::too_many_connections_per_address:
      return 429;
    case Errc::http_head_too_large:  // RFC 6585 5
    case Errc::http_too_many_headers:
      return 431;
    case Errc::timed_out:  // the application's accept hook
    case Errc::over_limit:
    case Errc::too_many_connections:
    case Errc::memory_budget_exceeded:
    case Errc::draining:
      return 503;
    case Errc::http_unsupported_version:
      return 505;
    default:
      return 500;
  }
}

Response error_response(const Error& error) {
  const int status = status_for(error.code);
  // What failed inside is nobody's business outside.
  auto text = status == 500 ? std::string("internal error\n") : to_string(error) + "\n";
  Response response = Response::text(status, std::move(text));
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("X-Content-Type-Options", "nosniff");
  if (status == 405) response.headers.add("Allow", "GET");
  if (status == 426) {
    // RFC 9110 15.5.22: "The server MUST send an Upgrade header field in a 426 response".
    response.headers.add("Upgrade", "websocket");
    // RFC 6455 4.2.2: with the versions that the server is able to use.
    response.headers.add("Sec-WebSocket-Version", "13");
  }
  if (status == 429 || status == 503) response.headers.add("Retry-After", "5");
  return response;
}

}  // namespace fairlead::http1

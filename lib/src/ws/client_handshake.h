// SPDX-License-Identifier: Apache-2.0
// The client's half of the opening handshake (RFC 6455 4.1).
#pragma once

#include "ws/connection.h"

#include <fairlead/deflate.h>
#include <fairlead/error.h>
#include <fairlead/http.h>
#include <fairlead/url.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace fairlead {
class Entropy;
}  // namespace fairlead

namespace fairlead::ws {

struct ClientHandshakeOptions {
  std::vector<std::string> subprotocols;  // tokens, no two alike, preferred first
  std::string origin;                     // empty: no Origin field (only browsers need one)
  std::optional<DeflateOptions> deflate;  // nullopt: not offered
  Headers headers;                        // further fields: Authorization, Cookie, User-Agent…
};

// What both sides agreed on.
struct Agreement {
  std::string subprotocol;  // empty: none
  std::optional<DeflateAgreement> deflate;
};

// One handshake: `start`, send `request()` with http1::write_request, then give the response to `check_response`.
class ClientHandshake {
 public:
  // invalid_argument for a subprotocol that is not a token or given twice, an origin that is no field value, a further
  // field that belongs to the handshake (Host, Upgrade, Connection, Sec-WebSocket-*, Content-Length,
  // Transfer-Encoding), or a URL that is not ws or wss.
  [[nodiscard]] static Result<ClientHandshake> start(const Url& url, const ClientHandshakeOptions& options,
                                                     Entropy& entropy);

  [[nodiscard]] const Request& request() const noexcept { return request_; }

  // Every MUST of 4.1: status, Upgrade, Connection, Sec-WebSocket-Accept, extensions, subprotocol; and what HTTP
  // demands of a 101. handshake_refused when the status is not 101: see `read_refusal`.
  [[nodiscard]] Result<Agreement> check_response(const Response& response, HttpVersion version) const;

 private:
  ClientHandshake() = default;

  Request request_;
  std::string key_;
  std::vector<std::string> subprotocols_;
  std::optional<DeflateOptions> deflate_;
};

// How a server said no.
struct Refusal {
  int status = 0;
  std::optional<std::chrono::seconds> retry_after;  // from Retry-After, seconds or date, never negative
  std::string location;                             // of a redirect, as sent
};
// nullopt when the response is a 101. `now` turns a date into a duration.
[[nodiscard]] std::optional<Refusal> read_refusal(const Response& response, std::chrono::system_clock::time_point now);

}  // namespace fairlead::ws

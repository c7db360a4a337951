// SPDX-License-Identifier: Apache-2.0
// The server's half of the opening handshake (RFC 6455 4.2).
#pragma once

#include "ws/connection.h"
#include "ws/deflate_offer.h"

#include <fairlead/deflate.h>
#include <fairlead/error.h>
#include <fairlead/http.h>

#include <optional>
#include <string>
#include <vector>

namespace fairlead::ws {

// Whether the request asks for a WebSocket at all: an Upgrade field that names it (ignored in HTTP/1.0, RFC 9110 7.8).
// Says nothing about validity: `read_offer` does.
[[nodiscard]] bool is_upgrade(const Request& request);

// What a valid client offers. Owns its texts.
struct Offer {
  std::string key;                        // as sent
  std::vector<std::string> subprotocols;  // tokens, no two alike, in the client's order
  std::vector<DeflateOffer> deflate;      // acceptable ones only
};
// Checks every MUST of 4.2.1. The error's status is http1::status_for(code): 405 for a method other than GET, 426 for
// another version, or no upgrade at all, else 400.
[[nodiscard]] Result<Offer> read_offer(const Request& request);

// What the server chooses.
struct Choice {
  std::string subprotocol;                // one of those offered, or empty for none
  std::optional<DeflateOptions> deflate;  // nullopt: no compression whatever is offered
  Headers headers;                        // further fields, such as Set-Cookie
};
struct Acceptance {
  Response response;  // the 101; write it with http1::write_response
  std::string subprotocol;
  std::optional<DeflateAgreement> deflate;
};
// invalid_argument when the subprotocol was not offered or a further field belongs to the handshake itself (Upgrade,
// Connection, Sec-WebSocket-*, Content-Length, Transfer-Encoding).
[[nodiscard]] Result<Acceptance> accept_offer(const Offer& offer, const Choice& choice);

}  // namespace fairlead::ws

// SPDX-License-Identifier: Apache-2.0
// The negotiation of permessage-deflate (RFC 7692 5, 7.1), both roles: offers, the server's answer, the client's check.
#pragma once

#include "text/tokens.h"
#include "ws/connection.h"

#include <fairlead/deflate.h>
#include <fairlead/error.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fairlead::ws {

inline constexpr std::uint8_t max_window_bits = 15;
// RFC 7692 7.1.2: 8–15, both ways. zlib has no raw compressor with 8, but Deflater (deflate.h) stays within 256 bytes
// all the same, so 8 can be agreed to in either direction: a server need not decline server_max_window_bits=8, and a
// client that offers client_max_window_bits can obey whatever a server may answer.
inline constexpr std::uint8_t min_window_bits = 8;

// One well-formed offer of a client. An offer with an unknown, repeated or invalid parameter never becomes one of
// these: RFC 7692 7.1 makes it declined.
struct DeflateOffer {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  std::optional<std::uint8_t> server_max_window_bits;  // 8–15
  bool client_max_window_bits_given = false;           // the parameter is there, with or without a value
  std::optional<std::uint8_t> client_max_window_bits;  // 8–15
};

// The acceptable offers among all elements of Sec-WebSocket-Extensions, in the client's order of preference.
[[nodiscard]] std::vector<DeflateOffer> find_deflate_offers(std::span<const text::ExtensionElement> elements);

// The server's choice: the first offer that `options` can live with. `answer` is the element for the response's field.
struct DeflateAnswer {
  DeflateAgreement agreement;
  std::string answer;
};
[[nodiscard]] std::optional<DeflateAnswer> answer_deflate(std::span<const DeflateOffer> offers,
                                                          const DeflateOptions& options);

// The client's offer as the field's value.
[[nodiscard]] std::string write_deflate_offer(const DeflateOptions& options);
// Checks the one element with which a server answered `write_deflate_offer(options)`. handshake_bad_extension for a
// parameter that is unknown, repeated, quoted, out of range, written with a leading zero, was not allowed by the offer,
// or is missing although the offer demanded it (RFC 7692 7.1: the client MUST fail the connection).
[[nodiscard]] Result<DeflateAgreement> check_deflate_answer(const text::ExtensionElement& element,
                                                            const DeflateOptions& options);

}  // namespace fairlead::ws

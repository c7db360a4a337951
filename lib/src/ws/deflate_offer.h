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
// RFC 7692 lets a window have 8 bits. zlib inflates such a stream, but deflateInit2 with raw 8 is refused, so our
// compressing direction never agrees to less than 9:
//   server, asked for server_max_window_bits=8: declines that offer (7.1.2.1 lets it) and looks at the next;
//   client, answered client_max_window_bits=8: fails the handshake. It cannot obey, and ignoring it could send what the
//   server cannot inflate.
inline constexpr std::uint8_t min_send_window_bits = 9;
inline constexpr std::uint8_t min_receive_window_bits = 8;

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

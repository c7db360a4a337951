// SPDX-License-Identifier: Apache-2.0
// How a WebSocket ends (RFC 6455 7).
#pragma once

#include <cstdint>
#include <string>

namespace fairlead {

// Close codes by their registered meaning (RFC 6455 7.4.1 and the IANA registry). Applications use 4000–4999.
// A plain integer type, so that every code a peer may legally send can be held.
using CloseCode = std::uint16_t;

namespace close_code {
inline constexpr CloseCode normal = 1000;
inline constexpr CloseCode going_away = 1001;
inline constexpr CloseCode protocol_error = 1002;
inline constexpr CloseCode unsupported_data = 1003;
inline constexpr CloseCode no_status = 1005;  // never on the wire: the peer's close frame was empty
inline constexpr CloseCode abnormal = 1006;   // never on the wire: the stream ended without a close frame
inline constexpr CloseCode invalid_payload = 1007;
inline constexpr CloseCode policy_violation = 1008;
inline constexpr CloseCode message_too_big = 1009;
inline constexpr CloseCode mandatory_extension = 1010;
inline constexpr CloseCode internal_error = 1011;
inline constexpr CloseCode service_restart = 1012;
inline constexpr CloseCode try_again_later = 1013;
inline constexpr CloseCode bad_gateway = 1014;
inline constexpr CloseCode tls_handshake = 1015;  // never on the wire
}  // namespace close_code

// True for a code that may stand in a close frame: 1000–1003, 1007–1014, 3000–4999 (RFC 6455 7.4).
[[nodiscard]] bool may_be_sent(CloseCode code) noexcept;

// The end of a connection as both sides saw it. Facts, not conclusions: `code` and `reason` are what the RFC calls
// "the WebSocket connection close code" (7.1.5), that is what the peer sent, or 1005 or 1006.
struct CloseInfo {
  CloseCode code = close_code::abnormal;
  std::string reason;  // UTF-8, at most 123 bytes
  // What our own close frame says, though it may not have left (see `clean`); 1005: it is empty, 1006: there was none.
  CloseCode sent_code = close_code::no_status;
  std::string sent_reason;
  bool peer_first = false;  // we had not closed when the peer's close frame was read; if we had, ours may not have left
  bool clean = false;       // both close frames crossed (7.1.4), ours with all that still waited before it
};

}  // namespace fairlead

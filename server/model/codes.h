// SPDX-License-Identifier: Apache-2.0
// The numbers that clients act on: errors in replies, reasons to unsubscribe and to disconnect. The ranges decide what
// an SDK does next, so a code is chosen by the reaction that is wanted.
#pragma once

#include <cstdint>
#include <string>

namespace fairlead::server {

// In a reply. `temporary` makes SDKs try again with backoff.
struct ClientError {
  std::uint32_t code = 100;
  std::string message;
  bool temporary = false;
  friend bool operator==(const ClientError&, const ClientError&) = default;
};

namespace client_error {
inline const ClientError internal{100, "internal server error", true};
inline const ClientError unauthorized{101, "unauthorized", false};
inline const ClientError unknown_channel{102, "unknown channel", false};
inline const ClientError permission_denied{103, "permission denied", false};
inline const ClientError method_not_found{104, "method not found", false};
inline const ClientError already_subscribed{105, "already subscribed", false};
inline const ClientError limit_exceeded{106, "limit exceeded", false};
inline const ClientError bad_request{107, "bad request", false};
inline const ClientError not_available{108, "not available", false};
inline const ClientError token_expired{109, "token expired", false};
inline const ClientError expired{110, "expired", false};
inline const ClientError too_many_requests{111, "too many requests", true};
inline const ClientError unrecoverable_position{112, "unrecoverable position", false};
inline const ClientError concurrent_pagination{113, "concurrent pagination", true};
}  // namespace client_error

// In an unsubscribe push. From 2500 on SDKs subscribe again by themselves.
struct UnsubscribeReason {
  std::uint32_t code = 2000;
  std::string reason;
  friend bool operator==(const UnsubscribeReason&, const UnsubscribeReason&) = default;
};

namespace unsubscribe_reason {
inline const UnsubscribeReason server{2000, "server unsubscribe"};
inline const UnsubscribeReason insufficient_state{2500, "insufficient state"};
inline const UnsubscribeReason expired{2501, "subscription expired"};
inline const UnsubscribeReason state_invalidated{2502, "state invalidated"};
}  // namespace unsubscribe_reason

// Ends a connection: the code and reason of the close frame, or a push on transports that have no such frame. SDKs come
// back after 3000–3499, 4000–4499 and 5000 and above; 3500–3999 and 4500–4999 are final.
struct DisconnectReason {
  std::uint32_t code = 3000;
  std::string reason;  // at most 123 bytes
  friend bool operator==(const DisconnectReason&, const DisconnectReason&) = default;
  [[nodiscard]] bool final() const noexcept { return (code >= 3500 && code < 4000) || (code >= 4500 && code < 5000); }
};

namespace disconnect_reason {
inline const DisconnectReason closed{3000, "connection closed"};
inline const DisconnectReason shutdown{3001, "shutdown"};
inline const DisconnectReason server_error{3004, "internal server error"};
inline const DisconnectReason expired{3005, "connection expired"};
inline const DisconnectReason subscription_expired{3006, "subscription expired"};
inline const DisconnectReason slow{3008, "slow"};
inline const DisconnectReason write_error{3009, "write error"};
inline const DisconnectReason insufficient_state{3010, "insufficient state"};
inline const DisconnectReason force_reconnect{3011, "force reconnect"};
inline const DisconnectReason no_pong{3012, "no pong"};
inline const DisconnectReason too_many_requests{3013, "too many requests"};
inline const DisconnectReason state_invalidated{3014, "state invalidated"};
inline const DisconnectReason invalid_token{3500, "invalid token"};
inline const DisconnectReason bad_request{3501, "bad request"};
inline const DisconnectReason stale{3502, "stale"};
inline const DisconnectReason force_disconnect{3503, "force disconnect"};
inline const DisconnectReason connection_limit{3504, "connection limit"};
inline const DisconnectReason channel_limit{3505, "channel limit"};
inline const DisconnectReason inappropriate_protocol{3506, "inappropriate protocol"};
inline const DisconnectReason permission_denied{3507, "permission denied"};
inline const DisconnectReason not_available{3508, "not available"};
inline const DisconnectReason too_many_errors{3509, "too many errors"};
}  // namespace disconnect_reason

}  // namespace fairlead::server

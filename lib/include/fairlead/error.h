// SPDX-License-Identifier: Apache-2.0
// What can go wrong, as values. A peer can only ever cause an Error; an assertion means a bug of ours.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace fairlead {

// One name for each rule that can be broken or each way an operation can end. The names are stable: logs, metrics and
// exit codes are keyed by `name(Errc)`.
enum class Errc : std::uint8_t {
  // How an operation ended.
  closed,            // the connection is closed, or was never open
  timed_out,         // the caller's or a limit's deadline passed
  cancelled,         // the caller asked to stop
  invalid_argument,  // the caller passed something that the protocol cannot express
  over_limit,        // one of our own limits refuses the operation
  system,            // the operating system refused; the detail carries its message

  // Finding and reaching the peer.
  bad_url,
  dns_failed,
  connect_failed,
  connection_reset,
  unexpected_eof,  // the stream ended without the protocol's own goodbye (TLS truncation, close without a close frame)

  // TLS.
  tls_configuration,  // certificate, key or option cannot be used
  tls_handshake_failed,
  tls_certificate_rejected,  // the peer's certificate did not verify
  tls_host_mismatch,         // verified, but for another name
  tls_pin_mismatch,          // verified, but no public key pin matches
  tls_client_certificate_missing,
  tls_plaintext_received,  // the peer speaks cleartext HTTP to a TLS port
  tls_protocol_error,
  tls_timeout,
  tls_message_rate_exceeded,  // too many KeyUpdates or tickets after the handshake

  // HTTP/1.1 and the opening handshake (RFC 9112, RFC 6455 4).
  http_malformed,
  http_head_too_large,
  http_too_many_headers,
  http_body_too_large,
  http_timeout,
  http_unsupported_version,
  http_host_invalid,
  handshake_bad_method,
  handshake_bad_upgrade,
  handshake_bad_connection,
  handshake_bad_key,
  handshake_bad_version,
  handshake_bad_accept,
  handshake_bad_subprotocol,
  handshake_bad_extension,
  handshake_origin_denied,
  handshake_refused,    // the peer answered with another status than 101
  handshake_not_found,  // no route for the path
  too_many_connections,
  too_many_connections_per_address,
  memory_budget_exceeded,
  draining,

  // Framing (RFC 6455 5).
  frame_reserved_bit,
  frame_reserved_opcode,
  frame_not_masked,  // a server MUST close on an unmasked frame (5.1)
  frame_masked,      // a client MUST close on a masked frame (5.1)
  frame_length_not_minimal,
  frame_length_too_large,  // most significant bit set (5.2)
  frame_over_limit,
  control_frame_fragmented,
  control_frame_too_long,
  continuation_without_start,
  message_interrupted,  // a new data frame before the fragmented message ended
  message_over_limit,
  too_many_fragments,
  control_rate_exceeded,
  message_rate_exceeded,
  invalid_utf8,
  close_frame_malformed,  // a body of one byte
  close_code_invalid,
  close_reason_not_utf8,

  // permessage-deflate (RFC 7692).
  deflate_malformed,
  deflate_over_limit,  // inflated bytes pass the message limit

  // Liveness.
  idle_timeout,
  close_timeout,
  outgoing_queue_full,
};

// The stable, lower-case name of a code, for logs and metrics ("frame_not_masked").
[[nodiscard]] std::string_view name(Errc code) noexcept;

// A broken rule with a sentence for people. `detail` never holds a payload, a token or a query string.
struct Error {
  Errc code = Errc::system;
  std::string detail;

  friend bool operator==(const Error&, const Error&) = default;
};

// The code's name and the detail, for a log line or a terminal: "frame_not_masked: …".
[[nodiscard]] std::string to_string(const Error& error);

template <class T>
using Result = std::expected<T, Error>;

// Shorthand for the failing branch: `return fail(Errc::frame_masked, "…")`.
[[nodiscard]] inline std::unexpected<Error> fail(Errc code, std::string detail = {}) {
  return std::unexpected(Error{code, std::move(detail)});
}

}  // namespace fairlead

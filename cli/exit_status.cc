// SPDX-License-Identifier: Apache-2.0
#include "exit_status.h"

#include <fmt/format.h>

#include <array>

namespace fairlead::cli {
namespace {

constexpr auto meanings = std::to_array<StatusMeaning>({
    {ExitStatus::ok, "done; a connection was closed cleanly (1000, 1001 or without a code)"},
    {ExitStatus::failed, "something that has no number of its own; the message says what"},
    {ExitStatus::usage, "the command line cannot be understood"},
    {ExitStatus::bad_url, "the URL is malformed or of another scheme"},
    {ExitStatus::dns, "the host name has no address"},
    {ExitStatus::unreachable, "nobody accepts connections at the address"},
    {ExitStatus::timed_out, "a step took longer than its limit, or the peer went silent"},
    {ExitStatus::certificate, "the server's certificate is not trusted, expired, or has another pin"},
    {ExitStatus::host_mismatch, "the certificate is valid, but for another name"},
    {ExitStatus::tls, "TLS failed for another reason, own certificate files included"},
    {ExitStatus::refused, "the server answered with an HTTP status instead of opening the channel"},
    {ExitStatus::handshake, "the server's answer to the opening handshake breaks RFC 6455 or HTTP"},
    {ExitStatus::protocol, "the peer broke the WebSocket protocol"},
    {ExitStatus::closed, "the peer closed with another code than 1000 or 1001"},
    {ExitStatus::abnormal, "the connection broke without a close handshake (1006)"},
    {ExitStatus::local_io, "reading the input, writing the output, or another call of the system failed"},
    {ExitStatus::over_limit, "the peer sent more than one of the own limits allows"},
    {ExitStatus::interrupted, "interrupted before the connection was open, or interrupted twice"},
});

std::string advice_on_limit(Errc code) {
  switch (code) {
    case Errc::outgoing_queue_full:
      return "The peer takes less than it is sent: send more slowly, or look at what keeps it from reading.";
    case Errc::tls_message_rate_exceeded:
      return "No honest peer sends so many TLS messages without data (KeyUpdates, tickets): tell whoever runs it.";
    default:
      return "If the peer is to be trusted with more: --max-message, --max-fragments.";
  }
}

std::string advice_on_refusal(int status) {
  switch (status) {
    case 401:
      return "The server wants to know who you are: add --header 'Authorization: Bearer TOKEN'.";
    case 403:
      return "The server does not let you in: check --origin, --header and --cert.";
    case 404:
      return "There is no WebSocket at this path: check the path of the URL.";
    case 426:
      return "The server wants another protocol version; it does not speak RFC 6455.";
    case 429:
    case 503:
      return "The server is busy: try again later, or use --reconnect.";
    default:
      break;
  }
  if (status >= 300 && status < 400) return "The server points elsewhere: use that URL.";
  if (status >= 500) return "The server failed: its log says why.";
  return "The path may not be a WebSocket: check the URL and --subprotocol.";
}

}  // namespace

std::span<const StatusMeaning> exit_statuses() noexcept { return meanings; }

// clang-format off: a table reads best with one line for each meaning.
ExitStatus status_of(Errc code) noexcept {
  switch (code) {
    case Errc::bad_url: return ExitStatus::bad_url;
    case Errc::dns_failed: return ExitStatus::dns;
    case Errc::connect_failed: return ExitStatus::unreachable;
    case Errc::timed_out: case Errc::tls_timeout: case Errc::http_timeout: case Errc::idle_timeout:
    case Errc::close_timeout: return ExitStatus::timed_out;
    case Errc::tls_certificate_rejected: case Errc::tls_pin_mismatch: return ExitStatus::certificate;
    case Errc::tls_host_mismatch: return ExitStatus::host_mismatch;
    case Errc::tls_configuration: case Errc::tls_handshake_failed: case Errc::tls_client_certificate_missing:
    case Errc::tls_plaintext_received: case Errc::tls_protocol_error: return ExitStatus::tls;
    case Errc::handshake_refused: case Errc::handshake_not_found: case Errc::handshake_origin_denied:
    case Errc::too_many_connections: case Errc::too_many_connections_per_address: case Errc::memory_budget_exceeded:
    case Errc::draining: return ExitStatus::refused;
    case Errc::http_malformed: case Errc::http_head_too_large: case Errc::http_too_many_headers:
    case Errc::http_body_too_large: case Errc::http_unsupported_version: case Errc::http_host_invalid:
    case Errc::handshake_bad_method: case Errc::handshake_bad_upgrade: case Errc::handshake_bad_connection:
    case Errc::handshake_bad_key: case Errc::handshake_bad_version: case Errc::handshake_bad_accept:
    case Errc::handshake_bad_subprotocol: case Errc::handshake_bad_extension: return ExitStatus::handshake;
    case Errc::frame_reserved_bit: case Errc::frame_reserved_opcode: case Errc::frame_not_masked:
    case Errc::frame_masked: case Errc::frame_length_not_minimal: case Errc::frame_length_too_large:
    case Errc::control_frame_fragmented: case Errc::control_frame_too_long: case Errc::continuation_without_start:
    case Errc::message_interrupted: case Errc::invalid_utf8: case Errc::close_frame_malformed:
    case Errc::close_code_invalid: case Errc::close_reason_not_utf8: case Errc::deflate_malformed:
      return ExitStatus::protocol;
    case Errc::over_limit: case Errc::frame_over_limit: case Errc::message_over_limit: case Errc::too_many_fragments:
    case Errc::control_rate_exceeded: case Errc::message_rate_exceeded: case Errc::deflate_over_limit:
    case Errc::outgoing_queue_full: case Errc::tls_message_rate_exceeded: return ExitStatus::over_limit;
    case Errc::connection_reset: case Errc::unexpected_eof: return ExitStatus::abnormal;
    case Errc::system: return ExitStatus::local_io;
    case Errc::invalid_argument: return ExitStatus::usage;
    case Errc::cancelled: return ExitStatus::interrupted;
    default: return ExitStatus::failed;
  }
}
// clang-format on

ExitStatus status_of(const CloseInfo& close) noexcept {
  switch (close.code) {
    case close_code::normal:
    case close_code::going_away:
    case close_code::no_status:
      return ExitStatus::ok;
    case close_code::abnormal:
      return ExitStatus::abnormal;
    default:
      return ExitStatus::closed;
  }
}

std::string advice(const Error& error, int http_status) {
  switch (status_of(error.code)) {
    case ExitStatus::bad_url:
      return "A URL looks like wss://example.org/path; ws:// needs --allow-cleartext.";
    case ExitStatus::dns:
      return "Check the spelling of the host and that this machine can resolve names.";
    case ExitStatus::unreachable:
      return "Check host and port, that the server runs, and that no firewall is between.";
    case ExitStatus::timed_out:
      return "The peer is slow or does not answer; --timeout SECONDS waits longer.";
    case ExitStatus::certificate:
      return error.code == Errc::tls_pin_mismatch
                 ? "The server has another key than --pin says: compare with `fairlead cert show URL`."
                 : "If you know its issuer: --ca FILE, or --ca dev for the development certificate; look at it with "
                   "`fairlead cert show URL`.";
    case ExitStatus::host_mismatch:
      return "Use a name that the certificate holds; `fairlead cert show URL` lists them.";
    case ExitStatus::tls:
      return error.code == Errc::tls_client_certificate_missing
                 ? "The server wants a client certificate: --cert FILE --key FILE."
                 : "Check that the port speaks TLS 1.2 or 1.3, and the files given as --ca, --cert and --key.";
    case ExitStatus::refused:
      return advice_on_refusal(http_status);
    case ExitStatus::handshake:
      return "Whatever answers there is no WebSocket server, or a proxy is between.";
    case ExitStatus::protocol:
      return "That is a bug of the peer: report it with the name of the rule.";
    case ExitStatus::over_limit:
      return advice_on_limit(error.code);
    case ExitStatus::abnormal:
      return "The peer or something between cut the connection; --reconnect opens it again.";
    default:
      return {};
  }
}

std::string describe(CloseCode code) {
  struct Name {
    CloseCode code;
    std::string_view text;
  };
  static constexpr auto names = std::to_array<Name>({
      {close_code::normal, "normal"},
      {close_code::going_away, "going away"},
      {close_code::protocol_error, "protocol error"},
      {close_code::unsupported_data, "unsupported data"},
      {close_code::no_status, "no status"},
      {close_code::abnormal, "abnormal"},
      {close_code::invalid_payload, "invalid payload"},
      {close_code::policy_violation, "policy violation"},
      {close_code::message_too_big, "message too big"},
      {close_code::mandatory_extension, "mandatory extension"},
      {close_code::internal_error, "internal error"},
      {close_code::service_restart, "service restart"},
      {close_code::try_again_later, "try again later"},
      {close_code::bad_gateway, "bad gateway"},
  });
  for (const Name& name : names) {
    if (name.code == code) return fmt::format("{} {}", code, name.text);
  }
  return fmt::format("{}", code);
}

}  // namespace fairlead::cli

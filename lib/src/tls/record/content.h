// SPDX-License-Identifier: Apache-2.0
// The words of RFC 8446 5.1 and 6: what a record carries, and why a connection is given up.
#pragma once

#include <fairlead/bytes.h>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace fairlead::tls::record {

enum class ContentType : std::uint8_t {
  change_cipher_spec = 20,
  alert = 21,
  handshake = 22,
  application_data = 23,
};

// RFC 8446 6: those that are told apart here.
enum class Alert : std::uint8_t {
  close_notify = 0,
  unexpected_message = 10,
  bad_record_mac = 20,
  record_overflow = 22,
  illegal_parameter = 47,
  decode_error = 50,
  protocol_version = 70,
  internal_error = 80,
  user_canceled = 90,
  certificate_required = 116,
};

inline constexpr std::size_t header_bytes = 5;
inline constexpr std::size_t content_limit_bytes = std::size_t{1} << 14U;  // RFC 8446 5.1

// RFC 8446 5.4: where in the opened bytes of a record its type is, which is the last byte that is not zero; nothing:
// all are. How long this takes shows how much padding an authentic record has; a forged one must never come here.
[[nodiscard]] std::optional<std::size_t> find_type(Bytes inner) noexcept;

// The name of RFC 8446 6 ("bad_record_mac"); null for a number without one.
[[nodiscard]] const char* alert_name(std::uint8_t number) noexcept;

// What is wrong with what the peer sent: the alert that says so to the peer, and the words for our side.
struct Fault {
  Alert alert;
  const char* words;
};

}  // namespace fairlead::tls::record

// SPDX-License-Identifier: Apache-2.0
// A NewSessionTicket (RFC 8446 4.6.1), read for its form alone: whoever wants to resume lets OpenSSL read it.
#pragma once

#include <fairlead/bytes.h>

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "tls/record/content.h"

namespace fairlead::tls::record {

// lifetime, age_add, nonce<0..255>, ticket<1..2^16-1>, extensions<0..2^16-2>.
inline constexpr std::uint32_t shortest_ticket_bytes = 4 + 4 + 1 + 2 + 1 + 2;
inline constexpr std::uint32_t longest_ticket_bytes = 4 + 4 + 1 + 255 + 2 + 65'535 + 2 + 65'534;

// Takes the body of one message, in whatever pieces it comes, and keeps none of it.
class TicketReader {
 public:
  // Nothing more may be given after a fault.
  [[nodiscard]] std::optional<Fault> take(Bytes piece);
  // When the body is over.
  [[nodiscard]] bool complete() const noexcept { return awaited_ == Awaited::end && to_pass_ == 0; }

 private:
  // The number that comes behind the bytes that are passed over now.
  enum class Awaited : std::uint8_t {
    nonce_length,
    ticket_length,
    extensions_length,
    extension_type,
    extension_length,
    end,
  };

  [[nodiscard]] std::optional<Fault> take_number_byte(std::byte byte);
  [[nodiscard]] std::optional<Fault> take_number(std::uint16_t number);
  [[nodiscard]] std::optional<Fault> begin_extension(std::uint16_t type);
  [[nodiscard]] std::optional<Fault> pass_extension(std::uint16_t length);
  void await_extension() noexcept;

  static constexpr std::size_t extension_types = 1U << 16U;

  std::bitset<extension_types> seen_;
  std::uint16_t to_pass_ = 8;  // lifetime and age_add
  std::uint16_t number_ = 0;
  std::uint16_t extensions_left_ = 0;  // bytes
  std::uint16_t type_ = 0;
  Awaited awaited_ = Awaited::nonce_length;
  bool half_read_ = false;  // of a number of two bytes
};

}  // namespace fairlead::tls::record

// SPDX-License-Identifier: Apache-2.0
#include "tls/record/ticket.h"

#include <algorithm>
#include <utility>

namespace fairlead::tls::record {
namespace {

constexpr std::uint16_t early_data = 42;
constexpr std::uint16_t early_data_bytes = 4;  // RFC 8446 4.2.10: max_early_data_size is a uint32
constexpr std::uint16_t extension_head_bytes = 4;

// RFC 8446 4.2: the extensions of its table, of which early_data alone may be in a NewSessionTicket.
constexpr bool belongs_elsewhere(std::uint16_t type) noexcept {
  constexpr std::uint16_t others[] = {0, 1, 5, 10, 13, 14, 15, 16, 18, 19, 20, 21, 41, 43, 44, 45, 47, 48, 49, 50, 51};
  return std::ranges::find(others, type) != std::end(others);
}

Fault contradiction() noexcept {
  return {.alert = Alert::decode_error, .words = "the lengths inside a NewSessionTicket contradict each other"};
}

}  // namespace

std::optional<Fault> TicketReader::take(Bytes piece) {
  while (!piece.empty()) {
    if (to_pass_ == 0) {
      if (auto fault = take_number_byte(piece.front())) return fault;
      piece = piece.subspan(1);
      continue;
    }
    const std::size_t passed = std::min<std::size_t>(to_pass_, piece.size());
    piece = piece.subspan(passed);
    to_pass_ = static_cast<std::uint16_t>(to_pass_ - passed);
  }
  return std::nullopt;
}

std::optional<Fault> TicketReader::take_number_byte(std::byte byte) {
  if (awaited_ == Awaited::end) return contradiction();  // bytes behind the extensions
  const auto low = std::to_integer<std::uint16_t>(byte);
  if (awaited_ != Awaited::nonce_length && !half_read_) {
    half_read_ = true;
    number_ = static_cast<std::uint16_t>(low << 8U);
    return std::nullopt;
  }
  half_read_ = false;
  return take_number(static_cast<std::uint16_t>(std::exchange(number_, std::uint16_t{0}) | low));
}

std::optional<Fault> TicketReader::take_number(std::uint16_t number) {
  switch (awaited_) {
    case Awaited::nonce_length:
      to_pass_ = number;
      awaited_ = Awaited::ticket_length;
      break;
    case Awaited::ticket_length:
      if (number == 0) return Fault{Alert::decode_error, "a NewSessionTicket holds no ticket"};
      to_pass_ = number;
      awaited_ = Awaited::extensions_length;
      break;
    case Awaited::extensions_length:
      extensions_left_ = number;
      await_extension();
      if (number != 0 && number < extension_head_bytes) return contradiction();
      break;
    case Awaited::extension_type:
      return begin_extension(number);
    case Awaited::extension_length:
      return pass_extension(number);
    case Awaited::end:
      break;  // no number comes so far
  }
  return std::nullopt;
}

std::optional<Fault> TicketReader::begin_extension(std::uint16_t type) {
  // RFC 8446 4.2: illegal_parameter for one that is known and not specified for this message.
  if (belongs_elsewhere(type)) {
    return Fault{Alert::illegal_parameter, "a NewSessionTicket holds an extension of another message"};
  }
  // RFC 8446 4.2: not more than one of the same type.
  if (seen_.test(type)) return Fault{Alert::illegal_parameter, "a NewSessionTicket holds an extension twice"};
  seen_.set(type);
  type_ = type;
  awaited_ = Awaited::extension_length;
  return std::nullopt;
}

// RFC 8446 4.6.1: what is not known is ignored.
std::optional<Fault> TicketReader::pass_extension(std::uint16_t length) {
  if (length > extensions_left_ - extension_head_bytes) return contradiction();
  if (type_ == early_data && length != early_data_bytes) {
    return Fault{Alert::decode_error, "early_data in a NewSessionTicket is not four bytes long"};
  }
  extensions_left_ = static_cast<std::uint16_t>(extensions_left_ - extension_head_bytes - length);
  if (extensions_left_ != 0 && extensions_left_ < extension_head_bytes) return contradiction();
  to_pass_ = length;
  await_extension();
  return std::nullopt;
}

void TicketReader::await_extension() noexcept {
  awaited_ = extensions_left_ == 0 ? Awaited::end : Awaited::extension_type;
}

}  // namespace fairlead::tls::record

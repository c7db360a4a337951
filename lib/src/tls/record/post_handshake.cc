// SPDX-License-Identifier: Apache-2.0
#include "tls/record/post_handshake.h"

#include <algorithm>
#include <utility>

namespace fairlead::tls::record {
namespace {

// RFC 8446 4: HandshakeType.
constexpr std::byte new_session_ticket{4};
constexpr std::byte key_update{24};

std::unexpected<Fault> fault(Alert alert, const char* words) {
  return std::unexpected(Fault{.alert = alert, .words = words});
}

}  // namespace

std::array<std::byte, 5> key_update_message(bool request) noexcept {
  return {key_update, std::byte{0}, std::byte{0}, std::byte{1}, static_cast<std::byte>(request ? 1 : 0)};
}

std::expected<std::optional<PostHandshake::Message>, Fault> PostHandshake::next(Bytes& content) {
  if (head_filled_ < head_bytes) {
    if (auto taken = take_head(content); !taken) return std::unexpected(taken.error());
  }
  if (content.empty()) return std::nullopt;
  return take_body(content);
}

std::expected<void, Fault> PostHandshake::take_head(Bytes& content) {
  const std::size_t taken = std::min(head_bytes - head_filled_, content.size());
  std::ranges::copy(content.first(taken), head_.begin() + head_filled_);
  content = content.subspan(taken);
  head_filled_ = static_cast<std::uint8_t>(head_filled_ + taken);
  if (head_filled_ < head_bytes) return {};
  body_left_ = std::to_integer<std::uint32_t>(head_[1]) << 16U | std::to_integer<std::uint32_t>(head_[2]) << 8U |
               std::to_integer<std::uint32_t>(head_[3]);
  return check_head();
}

std::expected<void, Fault> PostHandshake::check_head() {
  if (head_[0] == key_update) {
    if (body_left_ == 1) return {};
    return fault(Alert::decode_error, "a KeyUpdate is not one byte long");
  }
  // RFC 8446 4.6.2: a CertificateRequest is for clients that offered post_handshake_auth; we never do.
  if (head_[0] != new_session_ticket || side_ == Side::server) {
    return fault(Alert::unexpected_message, "a handshake message that has no place after the handshake");
  }
  if (body_left_ < shortest_ticket_bytes || body_left_ > longest_ticket_bytes) {
    return fault(Alert::decode_error, "a NewSessionTicket has an impossible length");
  }
  ticket_ = std::make_unique<TicketReader>();
  return {};
}

std::expected<std::optional<PostHandshake::Message>, Fault> PostHandshake::take_body(Bytes& content) {
  const Bytes piece = content.first(std::min<std::size_t>(body_left_, content.size()));
  content = content.subspan(piece.size());
  body_left_ -= static_cast<std::uint32_t>(piece.size());
  if (body_left_ == 0) head_filled_ = 0;
  return ticket_ != nullptr ? take_ticket(piece) : take_key_update(piece.front(), content);
}

// RFC 8446 6.2: decode_error for what cannot be parsed, although nobody here wants its content.
std::expected<std::optional<PostHandshake::Message>, Fault> PostHandshake::take_ticket(Bytes piece) {
  if (const auto wrong = ticket_->take(piece)) return std::unexpected(*wrong);
  if (body_left_ != 0) return std::nullopt;
  const bool complete = ticket_->complete();
  ticket_.reset();
  if (complete) return Message::new_session_ticket;
  return fault(Alert::decode_error, "a NewSessionTicket ends within its fields");
}

std::expected<std::optional<PostHandshake::Message>, Fault> PostHandshake::take_key_update(std::byte request,
                                                                                           Bytes behind) {
  // RFC 8446 5.1: a message before a change of keys must end with its record.
  if (!behind.empty()) return fault(Alert::unexpected_message, "a KeyUpdate is not the end of its record");
  // RFC 8446 4.6.3: any other value is answered with illegal_parameter.
  if (request > std::byte{1}) return fault(Alert::illegal_parameter, "a KeyUpdate asks for something unknown");
  return request == std::byte{1} ? Message::key_update_requested : Message::key_update;
}

}  // namespace fairlead::tls::record

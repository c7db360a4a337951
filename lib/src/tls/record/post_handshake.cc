// SPDX-License-Identifier: Apache-2.0
#include "tls/record/post_handshake.h"

#include <algorithm>
#include <utility>

namespace fairlead::tls::record {
namespace {

// RFC 8446 4: HandshakeType.
constexpr std::byte new_session_ticket{4};
constexpr std::byte key_update{24};

// RFC 8446 4.6.1: lifetime, age_add, nonce<0..255>, ticket<1..2^16-1>, extensions<0..2^16-2>.
constexpr std::uint32_t shortest_ticket_bytes = 4 + 4 + 1 + 2 + 1 + 2;
constexpr std::uint32_t longest_ticket_bytes = 4 + 4 + 1 + 255 + 2 + 65'535 + 2 + 65'534;

std::unexpected<Fault> fault(Alert alert, const char* words) {
  return std::unexpected(Fault{.alert = alert, .words = words});
}

// Bytes of each part's length, and the least that it may say: nonce<0..255>, ticket<1..2^16-1>, extensions<0..2^16-2>.
struct PartRule {
  std::uint8_t length_bytes;
  std::uint8_t least;
};
constexpr std::array<PartRule, 3> part_rules{{{1, 0}, {2, 1}, {2, 0}}};

}  // namespace

void TicketShape::take(Bytes bytes) noexcept {
  while (!bytes.empty() && !broken_) {
    if (left_ > 0) {
      const std::size_t passed = std::min<std::size_t>(left_, bytes.size());
      bytes = bytes.subspan(passed);
      left_ = static_cast<std::uint16_t>(left_ - passed);
      continue;
    }
    take_length_byte(bytes.front());
    bytes = bytes.subspan(1);
  }
}

void TicketShape::take_length_byte(std::byte byte) noexcept {
  if (part_ == parts) {
    broken_ = true;  // bytes behind the last part
    return;
  }
  const PartRule rule = part_rules[part_];
  length_ = static_cast<std::uint16_t>(static_cast<unsigned>(length_) << 8U | std::to_integer<unsigned>(byte));
  if (++length_filled_ < rule.length_bytes) return;
  broken_ = length_ < rule.least;
  left_ = std::exchange(length_, std::uint16_t{0});
  length_filled_ = 0;
  ++part_;
}

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
  ticket_ = {};
  if (body_left_ >= shortest_ticket_bytes && body_left_ <= longest_ticket_bytes) return {};
  return fault(Alert::decode_error, "a NewSessionTicket has an impossible length");
}

// RFC 8446 6.2: decode_error for what cannot be parsed, although nobody here wants its content.
std::expected<std::optional<PostHandshake::Message>, Fault> PostHandshake::skip_ticket() const {
  if (ticket_.well_formed()) return Message::new_session_ticket;
  return fault(Alert::decode_error, "the lengths inside a NewSessionTicket contradict each other");
}

std::expected<std::optional<PostHandshake::Message>, Fault> PostHandshake::take_body(Bytes& content) {
  const std::byte first = content.front();
  const auto taken = static_cast<std::uint32_t>(std::min<std::size_t>(body_left_, content.size()));
  if (head_[0] == new_session_ticket) ticket_.take(content.first(taken));
  content = content.subspan(taken);
  body_left_ -= taken;
  if (body_left_ != 0) return std::nullopt;
  head_filled_ = 0;
  if (head_[0] == new_session_ticket) return skip_ticket();
  // RFC 8446 5.1: a message before a change of keys must end with its record.
  if (!content.empty()) return fault(Alert::unexpected_message, "a KeyUpdate is not the end of its record");
  // RFC 8446 4.6.3: any other value is answered with illegal_parameter.
  if (first > std::byte{1}) return fault(Alert::illegal_parameter, "a KeyUpdate asks for something unknown");
  return first == std::byte{1} ? Message::key_update_requested : Message::key_update;
}

}  // namespace fairlead::tls::record

// SPDX-License-Identifier: Apache-2.0
// The handshake messages that come after the handshake (RFC 8446 4.6), in one record or cut over several.
#pragma once

#include <fairlead/bytes.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>

#include "tls/record/content.h"
#include "tls/record/ticket.h"

namespace fairlead::tls::record {

enum class Side : std::uint8_t { server, client };

// Holds no message: a ticket is checked and passed over, and a KeyUpdate is one byte.
class PostHandshake {
 public:
  enum class Message : std::uint8_t { key_update, key_update_requested, new_session_ticket };

  explicit PostHandshake(Side side) noexcept : side_(side) {}

  // Takes bytes from the front of a record's content up to the end of a message; nothing: the content is used up.
  // After a KeyUpdate there must be nothing left in the record.
  [[nodiscard]] std::expected<std::optional<Message>, Fault> next(Bytes& content);
  // RFC 8446 5.1: then no record of another type may come.
  [[nodiscard]] bool in_message() const noexcept { return head_filled_ != 0; }

 private:
  static constexpr std::size_t head_bytes = 4;

  [[nodiscard]] std::expected<void, Fault> take_head(Bytes& content);
  [[nodiscard]] std::expected<void, Fault> check_head();
  [[nodiscard]] std::expected<std::optional<Message>, Fault> take_body(Bytes& content);
  [[nodiscard]] std::expected<std::optional<Message>, Fault> take_ticket(Bytes piece);
  [[nodiscard]] static std::expected<std::optional<Message>, Fault> take_key_update(std::byte request, Bytes behind);

  std::array<std::byte, head_bytes> head_{};
  std::uint32_t body_left_ = 0;
  std::unique_ptr<TicketReader> ticket_;  // while one is being read
  std::uint8_t head_filled_ = 0;
  Side side_;
};

// The whole message as it is sent.
[[nodiscard]] std::array<std::byte, 5> key_update_message(bool request) noexcept;

}  // namespace fairlead::tls::record

// SPDX-License-Identifier: Apache-2.0
// The keys that seal stateless session tickets (RFC 5077, RFC 8446 4.6.1): one that seals and the one before it, which
// still opens. They survive a change of certificates and are shared by all loops.
#pragma once

#include <fairlead/time.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

namespace fairlead::tls {

// Thread-safe.
class TicketKeys {
 public:
  struct Key {
    std::array<unsigned char, 16> name{};
    std::array<unsigned char, 32> cipher{};  // AES-256-CBC
    std::array<unsigned char, 32> mac{};     // HMAC-SHA-256
  };
  struct Found {
    Key key;
    bool current = false;  // else the ticket should be renewed
  };

  explicit TicketKeys(std::chrono::seconds life = std::chrono::hours{12});
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;
  ~TicketKeys();

  [[nodiscard]] std::chrono::seconds life() const noexcept { return life_; }

  // The current key becomes the previous one, which is forgotten.
  void rotate();
  // Rotates when the current key is older than its life; call it now and then. The first call starts the clock.
  // True when it rotated.
  bool rotate_if_due(TimePoint now);

  [[nodiscard]] Key current() const;
  // `name`: 16 bytes.
  [[nodiscard]] std::optional<Found> find(const unsigned char* name) const;

 private:
  void rotate_locked();

  const std::chrono::seconds life_;
  mutable std::mutex mutex_;
  Key current_;
  std::optional<Key> previous_;
  std::optional<TimePoint> rotated_at_;
};

}  // namespace fairlead::tls

// SPDX-License-Identifier: Apache-2.0
// The keys of one direction: from the secret that the handshake agreed on, and from one generation to the next.
#pragma once

#include <fairlead/bytes.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "tls/record/suite.h"

namespace fairlead::tls::record {

using Nonce = std::array<std::byte, nonce_bytes>;

// Wiped when it goes.
class TrafficKeys {
 public:
  // `secret`: client_ or server_application_traffic_secret_N, as long as the suite's hash.
  TrafficKeys(Suite suite, Bytes secret);
  TrafficKeys(const TrafficKeys&) = delete;
  TrafficKeys& operator=(const TrafficKeys&) = delete;
  ~TrafficKeys();

  // The next generation; this one is wiped.
  void update();

  [[nodiscard]] Suite suite() const noexcept { return suite_; }
  [[nodiscard]] Bytes key() const noexcept { return Bytes(key_).first(key_bytes(suite_)); }
  [[nodiscard]] Nonce nonce(std::uint64_t sequence) const noexcept;

 private:
  void derive();

  std::array<std::byte, longest_secret_bytes> secret_{};
  std::array<std::byte, longest_key_bytes> key_{};
  Nonce iv_{};
  Suite suite_;
};

}  // namespace fairlead::tls::record

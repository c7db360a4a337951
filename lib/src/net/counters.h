// SPDX-License-Identifier: Apache-2.0
// What one loop has counted. Written by the loop's thread alone, read by any: plain loads and stores, no locked
// instructions on the hot path.
#pragma once

#include <fairlead/error.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace fairlead::net {

// A counter with one writer.
class Count {
 public:
  void add(std::uint64_t n = 1) noexcept { value_.store(get() + n, std::memory_order_relaxed); }
  void subtract(std::uint64_t n = 1) noexcept { value_.store(get() - n, std::memory_order_relaxed); }
  void set(std::uint64_t n) noexcept { value_.store(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct Counters {
  Count accepted, refused_at_accept;
  Count tls_handshakes, tls_resumed, tls_failed;
  Count http_requests, upgrades, upgrades_refused;
  Count messages_in, messages_out, bytes_in, bytes_out;
  Count messages_dropped;
  Count closed_clean;
  Count connections, websockets;  // now
  Count buffer_bytes;             // now
  Count body_bytes;               // now: of the bodies of requests
  std::array<Count, 256> failures;

  void failed(Errc code) noexcept { failures.at(static_cast<std::size_t>(code)).add(); }
};

}  // namespace fairlead::net

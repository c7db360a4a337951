// SPDX-License-Identifier: Apache-2.0
// Random bytes as a parameter, so that protocol code owns no source of chance and tests can repeat a run.
#pragma once

#include <fairlead/bytes.h>

#include <array>
#include <cstdint>

namespace fairlead {

// A source of unpredictable bytes. Not thread-safe: each loop has its own.
class Entropy {
 public:
  Entropy() = default;
  Entropy(const Entropy&) = delete;
  Entropy& operator=(const Entropy&) = delete;
  virtual ~Entropy() = default;

  virtual void fill(MutableBytes out) = 0;

  [[nodiscard]] std::uint32_t next_u32();
  [[nodiscard]] std::uint64_t next_u64();
};

// The kernel's generator (getrandom), read ahead a page at a time: a masking key costs nanoseconds, and bytes that
// were handed out are wiped from the page. RFC 6455 5.3: masks must come from a strong source of entropy.
class SystemEntropy final : public Entropy {
 public:
  void fill(MutableBytes out) override;

 private:
  std::array<std::byte, 4096> ahead_{};
  std::size_t used_ = 4096;
};

// A repeatable stream (SplitMix64) for tests and simulations. Never for a real connection.
class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed) noexcept : state_(seed) {}
  void fill(MutableBytes out) override;

 private:
  std::uint64_t state_;
};

}  // namespace fairlead

// SPDX-License-Identifier: Apache-2.0
#include "base/entropy.h"

#include "base/assert.h"

#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

namespace fairlead {

std::uint32_t Entropy::next_u32() {
  std::array<std::byte, sizeof(std::uint32_t)> bytes{};
  fill(bytes);
  return std::bit_cast<std::uint32_t>(bytes);
}

std::uint64_t Entropy::next_u64() {
  std::array<std::byte, sizeof(std::uint64_t)> bytes{};
  fill(bytes);
  return std::bit_cast<std::uint64_t>(bytes);
}

namespace {

void read_kernel(MutableBytes out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    FAIRLEAD_ASSERT(got > 0);  // with these flags and sizes getrandom(2) does not fail
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace

void SystemEntropy::fill(MutableBytes out) {
  while (!out.empty()) {
    if (used_ == ahead_.size()) {
      read_kernel(ahead_);
      used_ = 0;
    }
    const std::size_t take = std::min(out.size(), ahead_.size() - used_);
    std::memcpy(out.data(), ahead_.data() + used_, take);
    std::memset(ahead_.data() + used_, 0, take);
    used_ += take;
    out = out.subspan(take);
  }
}

void SeededEntropy::fill(MutableBytes out) {
  while (!out.empty()) {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    z ^= z >> 31U;
    const std::size_t take = std::min(out.size(), sizeof z);
    std::memcpy(out.data(), &z, take);
    out = out.subspan(take);
  }
}

}  // namespace fairlead

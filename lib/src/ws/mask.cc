// SPDX-License-Identifier: Apache-2.0
#include "ws/mask.h"

#include "base/assert.h"
#include "base/entropy.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace fairlead::ws {
namespace {

// The key as it meets bytes that begin at `offset`, twice, in memory order.
std::uint64_t key_word(MaskKey key, std::size_t offset) noexcept {
  std::array<std::byte, sizeof(std::uint64_t)> word{};
  for (std::size_t index = 0; index < word.size(); ++index) word[index] = key[(index + offset) % key.size()];
  return std::bit_cast<std::uint64_t>(word);
}

}  // namespace

MaskKey fresh_mask_key(Entropy& entropy) { return std::bit_cast<MaskKey>(entropy.next_u32()); }

// Whole words first, in a counted loop that compilers turn into vector instructions, for any alignment; then the rest.
void apply_mask(MutableBytes bytes, MaskKey key, std::size_t offset) noexcept {
  const std::uint64_t mask = key_word(key, offset);
  std::byte* at = bytes.data();
  const std::size_t words = bytes.size() / sizeof mask;
  for (std::size_t index = 0; index < words; ++index) {
    std::uint64_t word = 0;
    std::memcpy(&word, at + index * sizeof mask, sizeof mask);
    word ^= mask;
    std::memcpy(at + index * sizeof mask, &word, sizeof mask);
  }
  const auto last = std::bit_cast<std::array<std::byte, sizeof mask>>(mask);
  for (std::size_t index = words * sizeof mask; index < bytes.size(); ++index) at[index] ^= last[index % sizeof mask];
}

void copy_masked(Bytes from, MutableBytes to, MaskKey key) noexcept {
  FAIRLEAD_ASSERT(to.size() >= from.size());
  if (from.empty()) return;
  std::memcpy(to.data(), from.data(), from.size());
  apply_mask(to.first(from.size()), key);
}

}  // namespace fairlead::ws

// SPDX-License-Identifier: Apache-2.0
#include "ws/mask.h"

#include "base/entropy.h"
#include "ws/testing.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <set>
#include <string>

namespace fairlead::ws {
namespace {

constexpr MaskKey key{std::byte{0x12}, std::byte{0x34}, std::byte{0x56}, std::byte{0x78}};

TEST(Masking, IsAnXorByIndexForAnyLengthAlignmentAndOffset) {
  std::array<std::byte, 160> storage{};
  for (std::size_t alignment = 0; alignment < 9; ++alignment)
    for (std::size_t length = 0; length < 140; ++length)
      for (std::size_t offset = 0; offset < 4; ++offset) {
        storage.fill(std::byte{0xA5});
        apply_mask(MutableBytes(storage).subspan(alignment, length), key, offset);
        for (std::size_t index = 0; index < storage.size(); ++index) {
          const bool inside = index >= alignment && index < alignment + length;
          const std::byte expected =
              inside ? std::byte{0xA5} ^ key.at((index - alignment + offset) % 4) : std::byte{0xA5};
          ASSERT_EQ(storage.at(index), expected) << alignment << " " << length << " " << offset;
        }
      }
}

TEST(Masking, CopyingMasksTheSameWay) {
  std::array<std::byte, 77> from{};
  SeededEntropy(3).fill(from);
  std::array<std::byte, 77> copied{};
  copy_masked(from, copied, key);
  apply_mask(from, key);
  EXPECT_EQ(from, copied);
}

// CVE-2025-10148 and a library that masks with the clock's seconds: one key for the whole connection.
TEST(Masking, AClientTakesAFreshKeyForEachFrame) {
  testing::Side client(Role::client);
  std::set<MaskKey> keys;
  std::array<int, 32> ones{};
  constexpr int frames = 10'000;
  for (int frame = 0; frame < frames; ++frame) {
    ASSERT_EQ(client.connection.send(MessageKind::text, as_bytes("same"), client.now), Sent::accepted);
    const MaskKey used = client.sent().at(0).header.mask;
    keys.insert(used);
    const auto bits = std::bit_cast<std::uint32_t>(used);
    for (unsigned bit = 0; bit < 32; ++bit) ones.at(bit) += static_cast<int>(bits >> bit & 1U);
  }
  EXPECT_GE(keys.size(), static_cast<std::size_t>(frames - 2)) << "two of 10,000 random keys may be the same, not more";
  for (const int count : ones) EXPECT_NEAR(count, frames / 2.0, 300);  // six standard deviations
}

TEST(Masking, AServerDoesNotMask) {
  testing::Side server(Role::server);
  ASSERT_EQ(server.connection.send(MessageKind::text, as_bytes("same"), server.now), Sent::accepted);
  EXPECT_FALSE(server.sent().at(0).header.masked);
}

TEST(Masking, ServerClosesOnUnmaskedFrame) {
  testing::Side server(Role::server);
  EXPECT_EQ(server.receive(testing::raw({.first_byte = 0x81, .payload = "x", .masked = false, .declared = {}})),
            std::vector{testing::failed(Errc::frame_not_masked)});
  EXPECT_EQ(server.connection.close_info().sent_code, close_code::protocol_error);
}

TEST(Masking, ClientClosesOnMaskedFrame) {
  testing::Side client(Role::client);
  EXPECT_EQ(client.receive(testing::raw({.first_byte = 0x81, .payload = "x", .masked = true, .declared = {}})),
            std::vector{testing::failed(Errc::frame_masked)});
  EXPECT_EQ(client.connection.close_info().sent_code, close_code::protocol_error);
}

}  // namespace
}  // namespace fairlead::ws

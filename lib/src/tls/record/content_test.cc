// SPDX-License-Identifier: Apache-2.0
#include "tls/record/content.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace fairlead::tls::record {
namespace {

// RFC 8446 5.4, from the other end: whatever the lengths of content and padding, and wherever the buffer begins.
TEST(Padding, TheTypeIsTheLastByteThatIsNotZero) {
  constexpr std::size_t longest = 140;  // two cache lines and some
  for (const std::size_t start : {0U, 1U, 7U}) {
    for (std::size_t content = 0; content < longest; ++content) {
      for (std::size_t padding = 0; padding < longest; ++padding) {
        // What is around the record is not looked at.
        std::vector<std::byte> around(start + content + 1 + padding + 1, std::byte{0xff});
        const MutableBytes inner = MutableBytes(around).subspan(start, content + 1 + padding);
        std::ranges::fill(inner, std::byte{0});
        inner[content] = std::byte{1};  // one bit, so that no word of it is overlooked
        ASSERT_EQ(find_type(inner), content) << "with " << padding << " bytes of padding";
      }
    }
  }
}

TEST(Padding, ContentOfZerosIsContent) {
  std::vector<std::byte> inner(content_limit_bytes + 1, std::byte{0});
  inner.back() = static_cast<std::byte>(ContentType::application_data);
  EXPECT_EQ(find_type(inner), content_limit_bytes);
}

TEST(Padding, AloneHasNoType) {
  for (const std::size_t size : {0UL, 1UL, 63UL, 64UL, 65UL, 128UL, 1'000UL, content_limit_bytes + 1}) {
    const std::vector<std::byte> zeros(size, std::byte{0});
    EXPECT_EQ(find_type(zeros), std::nullopt) << size;
  }
}

TEST(Padding, OfAFullRecordIsPassedOver) {
  std::vector<std::byte> inner(content_limit_bytes + 1, std::byte{0});
  inner.front() = static_cast<std::byte>(ContentType::alert);
  EXPECT_EQ(find_type(inner), 0U);
}

}  // namespace
}  // namespace fairlead::tls::record

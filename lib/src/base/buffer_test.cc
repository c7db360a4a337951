// SPDX-License-Identifier: Apache-2.0
#include "base/buffer.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>

namespace fairlead {
namespace {

TEST(Buffer, GivesBackWhatWasAppendedInOrderForAnySplit) {
  std::mt19937 random(7);  // NOLINT(cert-msc32-c,cert-msc51-cpp): a repeatable run
  for (int round = 0; round < 200; ++round) {
    BufferPool pool(64, 2);
    Buffer buffer(pool);
    std::string sent;
    std::string got;
    for (int step = 0; step < 60; ++step) {
      const std::string piece(random() % 90, static_cast<char>('a' + step % 26));
      buffer.append(as_bytes(piece));
      sent += piece;
      const std::size_t take = random() % (buffer.size() + 1);
      got += as_text(buffer.readable()).substr(0, take);
      buffer.consume(take);
    }
    got += as_text(buffer.readable());
    EXPECT_EQ(got, sent);
  }
}

TEST(Buffer, AnEmptyBufferHoldsNoStorage) {
  BufferPool pool(128, 4);
  Buffer buffer(pool);
  buffer.append(as_bytes("hello"));
  EXPECT_EQ(pool.lent_bytes(), 128U);
  buffer.release_if_empty();
  EXPECT_EQ(buffer.size(), 5U) << "bytes that are waiting are kept";
  buffer.consume(5);
  buffer.release_if_empty();
  EXPECT_EQ(buffer.capacity(), 0U);
  EXPECT_EQ(pool.lent_bytes(), 0U);
}

TEST(Buffer, LargerBlocksAreReusedInPowersOfTwo) {
  BufferPool pool(128, 4);
  const std::byte* first = nullptr;
  for (int time = 0; time < 3; ++time) {
    Buffer buffer(pool);
    buffer.append(as_bytes(std::string(1000, 'x')));
    EXPECT_EQ(pool.lent_bytes(), 1024U);
    if (first == nullptr) first = buffer.readable().data();
    EXPECT_EQ(buffer.readable().data(), first);
  }
  Buffer huge(pool);
  huge.append(as_bytes(std::string(5000, 'x')));
  EXPECT_EQ(pool.lent_bytes(), 5000U) << "what is not worth keeping is not rounded";
}

TEST(Buffer, TruncatingDropsWhatWasAppendedLast) {
  Buffer buffer;
  buffer.append(as_bytes("abcdef"));
  buffer.consume(1);
  buffer.truncate(2);
  EXPECT_EQ(as_text(std::as_const(buffer).readable()), "bc");
}

TEST(Buffer, MovedFromIsEmptyAndThePoolCountsOnce) {
  BufferPool pool(128, 4);
  Buffer first(pool);
  first.append(as_bytes("abc"));
  const Buffer second(std::move(first));
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(as_text(second.readable()), "abc");
  EXPECT_EQ(pool.lent_bytes(), 128U);
}

TEST(BufferDeathTest, ConsumingMoreThanThereIsBreaksAnInvariant) {
  Buffer buffer;
  buffer.append(as_bytes("ab"));
  EXPECT_DEATH(buffer.consume(3), "broken invariant");
}

}  // namespace
}  // namespace fairlead

// SPDX-License-Identifier: Apache-2.0
#include "text/base64.h"

#include "base/entropy.h"

#include <gtest/gtest.h>

namespace fairlead::text {
namespace {

TEST(Base64, VectorsOfRfc4648) {
  const std::pair<std::string_view, std::string_view> vectors[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(encode_base64(as_bytes(plain)), encoded);
    const auto decoded = decode_base64(encoded);
    ASSERT_TRUE(decoded) << encoded;
    EXPECT_EQ(as_text(*decoded), plain);
  }
}

TEST(Base64, RoundTripOfEveryLength) {
  SeededEntropy entropy(1);
  for (std::size_t length = 0; length < 100; ++length) {
    std::vector<std::byte> bytes(length);
    entropy.fill(bytes);
    EXPECT_EQ(decode_base64(encode_base64(bytes)), bytes);
  }
}

TEST(Base64, OneValueHasOneText) {
  for (const auto* text : {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "Zg== ", " Zg==", "Z=g=", "====", "=",
                           "Zm9v\n", "Zm-_", "Zm9\x80", "Zm9vYg=a"}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace fairlead::text

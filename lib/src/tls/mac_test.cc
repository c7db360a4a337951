// SPDX-License-Identifier: Apache-2.0
#include "tls/mac.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tls/handshake_library.h"
#include "tls/openssl.h"

namespace fairlead::tls {
namespace {

using MacPtr = std::unique_ptr<EVP_MAC, Release<EVP_MAC_free>>;
using MacContextPtr = std::unique_ptr<EVP_MAC_CTX, Release<EVP_MAC_CTX_free>>;

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());  // NOLINT: bytes are bytes
}

std::string in_hex(const std::vector<unsigned char>& bytes) {
  std::string hex;
  for (const unsigned char byte : bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    hex += digits[byte >> 4U];
    hex += digits[byte & 0xfU];
  }
  return hex;
}

// As OpenSSL computes the MAC of a Finished message.
std::string mac_in(OSSL_LIB_CTX* library, const char* digest, std::string_view key, std::string_view text) {
  std::vector<unsigned char> out(64);
  std::size_t size = 0;
  if (EVP_Q_mac(library, "HMAC", nullptr, digest, nullptr, octets(key), key.size(), octets(text), text.size(),
                out.data(), out.size(), &size) == nullptr) {
    ERR_clear_error();
    return "refused";
  }
  out.resize(size);
  return in_hex(out);
}

class OurHmac : public testing::Test {
 protected:
  void SetUp() override {
    if (handshake_library() == nullptr) GTEST_SKIP() << "another provider than the default one is set up";
  }

  // As OpenSSL computes the MAC of a ticket: the callback sets key and digest, the text comes in pieces.
  static std::string of_ticket(const std::vector<std::string_view>& pieces) {
    const MacPtr mac(EVP_MAC_fetch(handshake_library(), "HMAC", nullptr));
    const MacContextPtr context(EVP_MAC_CTX_new(mac.get()));
    std::array<char, 7> digest{"SHA256"};
    std::array<char, 4> key{"key"};
    const std::array parameters{OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.data(), 3),
                                OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
                                OSSL_PARAM_construct_end()};
    EXPECT_EQ(EVP_MAC_CTX_set_params(context.get(), parameters.data()), 1);
    EXPECT_EQ(EVP_MAC_CTX_get_mac_size(context.get()), 32U);
    for (const std::string_view piece : pieces) {
      EXPECT_EQ(EVP_MAC_update(context.get(), octets(piece), piece.size()), 1);
    }
    std::vector<unsigned char> out(32);
    std::size_t size = 0;
    EXPECT_EQ(EVP_MAC_final(context.get(), out.data(), &size, out.size()), 1);
    EXPECT_EQ(size, 32U);
    return in_hex(out);
  }
};

TEST_F(OurHmac, IsWhatHandshakesFind) {
  const MacPtr mac(EVP_MAC_fetch(handshake_library(), "HMAC", nullptr));
  ASSERT_NE(mac, nullptr);
  EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_MAC_get0_provider(mac.get())), "fairlead");
}

TEST_F(OurHmac, PassesTheTestCaseOfRfc4231) {
  const std::string key(20, '\x0b');  // 4.2, test case 1
  EXPECT_EQ(mac_in(handshake_library(), "SHA2-256", key, "Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(mac_in(handshake_library(), "SHA2-384", key, "Hi There"),
            "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6");
}

TEST_F(OurHmac, EqualsThatOfOpenSslForKeysOfAnyLength) {
  for (const std::size_t size : {1U, 31U, 32U, 48U, 63U, 64U, 65U, 127U, 128U, 129U, 500U}) {
    const std::string key(size, 'k');
    const std::string text(3 * size, 't');
    for (const char* digest : {"SHA256", "SHA384"}) {
      EXPECT_EQ(mac_in(handshake_library(), digest, key, text), mac_in(nullptr, digest, key, text)) << size << digest;
    }
  }
}

TEST_F(OurHmac, IsTheSameForAnyPieces) {
  const std::string expected = mac_in(nullptr, "SHA256", "key", "a ticket and its iv");
  EXPECT_EQ(of_ticket({"a ticket and its iv"}), expected);
  EXPECT_EQ(of_ticket({"a", "", " ticket", " and its iv"}), expected);
}

TEST_F(OurHmac, RefusesADigestThatNoSuiteOfOursHas) {
  EXPECT_EQ(mac_in(handshake_library(), "SHA1", "key", "text"), "refused");
}

TEST_F(OurHmac, RefusesToStartWithoutADigest) {
  const MacPtr mac(EVP_MAC_fetch(handshake_library(), "HMAC", nullptr));
  const MacContextPtr context(EVP_MAC_CTX_new(mac.get()));
  EXPECT_EQ(EVP_MAC_init(context.get(), octets("key"), 3, nullptr), 0);
  EXPECT_EQ(EVP_MAC_update(context.get(), octets("text"), 4), 0);
}

}  // namespace
}  // namespace fairlead::tls

// SPDX-License-Identifier: Apache-2.0
#include "tls/binder.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tls/handshake_library.h"
#include "tls/openssl.h"

namespace fairlead::tls {
namespace {

using Octets = std::vector<unsigned char>;
using DigestPtr = std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX_free>>;
using KindPtr = std::unique_ptr<EVP_KEYMGMT, Release<EVP_KEYMGMT_free>>;
using SignaturePtr = std::unique_ptr<EVP_SIGNATURE, Release<EVP_SIGNATURE_free>>;

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());  // NOLINT: bytes are bytes
}

KeyPtr key_in(OSSL_LIB_CTX* library, std::string_view secret) {
  KeyPtr key(EVP_PKEY_new_raw_private_key_ex(library, "HMAC", nullptr, octets(secret), secret.size()));
  ERR_clear_error();
  return key;
}

// As OpenSSL's TLS computes a binder (tls_psk_do_binder).
Octets binder_in(OSSL_LIB_CTX* library, const char* digest, const KeyPtr& key, std::string_view hash) {
  const DigestPtr context(EVP_MD_CTX_new());
  Octets out(64);
  std::size_t size = out.size();
  if (key == nullptr ||
      EVP_DigestSignInit_ex(context.get(), nullptr, digest, library, nullptr, key.get(), nullptr) != 1 ||
      EVP_DigestSignUpdate(context.get(), hash.data(), hash.size()) != 1 ||
      EVP_DigestSignFinal(context.get(), out.data(), &size) != 1) {
    ERR_clear_error();
    return {};
  }
  out.resize(size);
  return out;
}

class Binder : public testing::Test {
 protected:
  void SetUp() override {
    if (handshake_library() == nullptr) GTEST_SKIP() << "another provider than the default one is set up";
  }
};

TEST_F(Binder, IsWhatHandshakesFind) {
  for (const Side side : {Side::server, Side::client}) {
    const KindPtr kind(EVP_KEYMGMT_fetch(handshake_library(side), "HMAC", "provider=fairlead"));
    const SignaturePtr signature(EVP_SIGNATURE_fetch(handshake_library(side), "HMAC", "provider=fairlead"));
    EXPECT_NE(kind, nullptr);
    EXPECT_NE(signature, nullptr);
  }
}

TEST_F(Binder, EqualsThatOfOpenSsl) {
  const std::string secret(48, 's');
  const std::string hash(48, 'h');
  for (const char* digest : {"SHA256", "SHA2-256", "SHA384", "SHA2-384"}) {
    for (const std::size_t size : {0U, 1U, 32U, 48U}) {
      const std::string_view some = std::string_view(secret).substr(0, size);
      const Octets expected = binder_in(nullptr, digest, key_in(nullptr, some), hash);
      EXPECT_FALSE(expected.empty());
      EXPECT_EQ(binder_in(handshake_library(), digest, key_in(handshake_library(), some), hash), expected)
          << digest << size;
    }
  }
}

TEST_F(Binder, SignsAnyNumberOfTimesWithOneKey) {
  const KeyPtr key = key_in(handshake_library(), "a finished key");
  const Octets first = binder_in(handshake_library(), "SHA256", key, "one");
  EXPECT_NE(binder_in(handshake_library(), "SHA256", key, "two"), first);
  EXPECT_EQ(binder_in(handshake_library(), "SHA256", key, "one"), first);
}

TEST_F(Binder, GoesOnBehindAResult) {
  const KeyPtr key = key_in(handshake_library(), "a finished key");
  const DigestPtr context(EVP_MD_CTX_new());
  ASSERT_EQ(EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", handshake_library(), nullptr, key.get(), nullptr),
            1);
  Octets out(32);
  std::size_t size = 0;
  EXPECT_EQ(EVP_DigestSignFinal(context.get(), nullptr, &size), 1);
  EXPECT_EQ(size, 32U);
  EXPECT_EQ(EVP_DigestSignUpdate(context.get(), "on", 2), 1);
  EXPECT_EQ(EVP_DigestSignFinal(context.get(), out.data(), &size), 1);
  EXPECT_EQ(out, binder_in(handshake_library(), "SHA256", key, "on"));
  EXPECT_EQ(EVP_DigestSignUpdate(context.get(), "e", 1), 1);
  EXPECT_EQ(EVP_DigestSignFinal(context.get(), out.data(), &size), 1);
  EXPECT_EQ(out, binder_in(handshake_library(), "SHA256", key, "one"));
}

TEST_F(Binder, RefusesASecretThatIsLongerThanAnyHash) {
  EXPECT_NE(key_in(handshake_library(), std::string(48, 's')), nullptr);
  EXPECT_EQ(key_in(handshake_library(), std::string(49, 's')), nullptr);
}

TEST_F(Binder, RefusesADigestThatNoSuiteOfOursHas) {
  EXPECT_TRUE(binder_in(handshake_library(), "SHA1", key_in(handshake_library(), "key"), "hash").empty());
}

TEST_F(Binder, RefusesTooLittleRoom) {
  const KeyPtr key = key_in(handshake_library(), "a finished key");
  const DigestPtr context(EVP_MD_CTX_new());
  ASSERT_EQ(EVP_DigestSignInit_ex(context.get(), nullptr, "SHA384", handshake_library(), nullptr, key.get(), nullptr),
            1);
  Octets out(47);
  std::size_t size = out.size();
  EXPECT_NE(EVP_DigestSignFinal(context.get(), out.data(), &size), 1);
  ERR_clear_error();
}

}  // namespace
}  // namespace fairlead::tls

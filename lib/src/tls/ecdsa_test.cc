// SPDX-License-Identifier: Apache-2.0
#include "tls/ecdsa.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tls/handshake_library.h"
#include "tls/openssl.h"

namespace fairlead::tls {
namespace {

using Octets = std::vector<unsigned char>;
using ContextPtr = std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX_free>>;
using KeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX_free>>;
using SignaturePtr = std::unique_ptr<EVP_SIGNATURE, Release<EVP_SIGNATURE_free>>;

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());  // NOLINT: bytes are bytes
}

class Ecdsa : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (handshake_library() == nullptr) GTEST_SKIP() << "another provider than the default one is set up";
  }
  void TearDown() override { ERR_clear_error(); }

  // As that of a certificate: read in the default context.
  KeyPtr key_{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};

  ContextPtr begin(const char* digest, EVP_PKEY_CTX** inner = nullptr) const {
    ContextPtr context(EVP_MD_CTX_new());
    const bool begun =
        EVP_DigestSignInit_ex(context.get(), inner, digest, handshake_library(), nullptr, key_.get(), nullptr) == 1;
    return begun ? std::move(context) : nullptr;
  }

  // As OpenSSL's TLS signs: it asks for the size first.
  static Octets sign(const ContextPtr& context, std::string_view text) {
    std::size_t size = 0;
    if (context == nullptr || EVP_DigestSign(context.get(), nullptr, &size, octets(text), text.size()) != 1) return {};
    Octets out(size);
    if (EVP_DigestSign(context.get(), out.data(), &size, octets(text), text.size()) != 1) return {};
    out.resize(size);
    return out;
  }

  bool verifies(OSSL_LIB_CTX* library, const char* digest, const Octets& signature, std::string_view text) const {
    const ContextPtr context(EVP_MD_CTX_new());
    const bool good =
        !signature.empty() &&
        EVP_DigestVerifyInit_ex(context.get(), nullptr, digest, library, nullptr, key_.get(), nullptr) == 1 &&
        EVP_DigestVerify(context.get(), signature.data(), signature.size(), octets(text), text.size()) == 1;
    ERR_clear_error();
    return good;
  }
};

TEST_F(Ecdsa, IsWhatHandshakesFind) {
  for (const Side side : {Side::server, Side::client}) {
    EXPECT_NE(SignaturePtr(EVP_SIGNATURE_fetch(handshake_library(side), "ECDSA", "provider=fairlead")), nullptr);
  }
}

TEST_P(Ecdsa, SignsATextInOneCall) {
  const std::string text(130, 't');
  const Octets signature = sign(begin(GetParam()), text);
  EXPECT_TRUE(verifies(nullptr, GetParam(), signature, text));
  EXPECT_TRUE(verifies(handshake_library(), GetParam(), signature, text));
  EXPECT_FALSE(verifies(nullptr, GetParam(), signature, "another"));
  EXPECT_FALSE(verifies(handshake_library(), GetParam(), signature, "another"));
}

TEST_P(Ecdsa, SignsATextInPieces) {
  const ContextPtr context = begin(GetParam());
  ASSERT_NE(context, nullptr);
  Octets out(80);
  std::size_t size = out.size();
  for (const char piece : std::string_view("text")) {
    ASSERT_EQ(EVP_DigestSignUpdate(context.get(), &piece, 1), 1);
  }
  ASSERT_EQ(EVP_DigestSignFinal(context.get(), out.data(), &size), 1);
  out.resize(size);
  EXPECT_TRUE(verifies(nullptr, GetParam(), out, "text"));
}

TEST_P(Ecdsa, ACopySignsTheSameText) {
  const ContextPtr original = begin(GetParam());
  const ContextPtr copy(EVP_MD_CTX_new());
  ASSERT_EQ(EVP_MD_CTX_copy_ex(copy.get(), original.get()), 1);
  EXPECT_TRUE(verifies(nullptr, GetParam(), sign(original, "text"), "text"));
  EXPECT_TRUE(verifies(nullptr, GetParam(), sign(copy, "text"), "text"));
}

TEST_P(Ecdsa, NamesTheDigestThatItWasPreparedFor) {
  EVP_PKEY_CTX* inner = nullptr;
  const ContextPtr context = begin(GetParam(), &inner);
  ASSERT_NE(context, nullptr);
  std::array<char, 80> name{};
  std::array get{OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, name.data(), name.size()),
                 OSSL_PARAM_construct_end()};
  EXPECT_EQ(EVP_PKEY_CTX_get_params(inner, get.data()), 1);
  EXPECT_NE(EVP_MD_is_a(EVP_MD_CTX_get0_md(context.get()), name.data()), 0) << name.data();
  EXPECT_TRUE(verifies(nullptr, GetParam(), sign(context, "text"), "text"));
}

TEST_P(Ecdsa, LeavesNothingUndoneWhenItIsOnlyPrepared) { EXPECT_NE(begin(GetParam()), nullptr); }

INSTANTIATE_TEST_SUITE_P(Digests, Ecdsa, testing::Values("SHA256", "SHA384", "SHA512", "SHA1"),
                         [](const auto& digest) { return digest.param; });

TEST_F(Ecdsa, RefusesADigestThatOpenSslRefuses) { EXPECT_EQ(begin("MD4"), nullptr); }

TEST_F(Ecdsa, SignsAHash) {
  const KeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(handshake_library(), key_.get(), nullptr));
  const std::string hash(32, 'h');
  Octets out(80);
  std::size_t size = out.size();
  ASSERT_EQ(EVP_PKEY_sign_init(context.get()), 1);
  ASSERT_EQ(EVP_PKEY_sign(context.get(), out.data(), &size, octets(hash), hash.size()), 1);
  ASSERT_EQ(EVP_PKEY_verify_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_verify(context.get(), out.data(), size, octets(hash), hash.size()), 1);
}

TEST_F(Ecdsa, RefusesTooLittleRoom) {
  const ContextPtr context = begin("SHA256");
  Octets out(16);
  std::size_t size = out.size();
  EXPECT_NE(EVP_DigestSign(context.get(), out.data(), &size, octets("text"), 4), 1);
}

}  // namespace
}  // namespace fairlead::tls

// SPDX-License-Identifier: Apache-2.0
#include "tls/handshake_library.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/provider.h>

#include <cstdlib>
#include <memory>
#include <set>
#include <string>

#include "tls/context_body.h"
#include "tls/openssl.h"

namespace fairlead::tls {
namespace {

using KdfPtr = std::unique_ptr<EVP_KDF, Release<EVP_KDF_free>>;
using CipherPtr = std::unique_ptr<EVP_CIPHER, Release<EVP_CIPHER_free>>;

class HandshakeLibrary : public testing::TestWithParam<Side> {
 protected:
  void SetUp() override { ASSERT_NE(library(), nullptr); }
  void TearDown() override { ERR_clear_error(); }
  static OSSL_LIB_CTX* library() { return handshake_library(GetParam()); }

  static std::set<std::string> suites(bool our_records) {
    ContextSettings settings;
    settings.our_records = our_records;
    const auto context = make_ssl_context(GetParam(), TlsProfile::intermediate, 2, settings);
    std::set<std::string> names;
    if (!context) return names;
    const STACK_OF(SSL_CIPHER)* all = SSL_CTX_get_ciphers(context->get());
    for (int i = 0; i < sk_SSL_CIPHER_num(all); ++i) names.insert(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(all, i)));
    return names;
  }
};

// A suite whose cipher is not to be had is left out without a word.
TEST_P(HandshakeLibrary, HasTheSuitesThatTheDefaultContextHas) {
  EXPECT_EQ(suites(true).size(), 9U);
  EXPECT_EQ(suites(true), suites(false));
}

TEST_P(HandshakeLibrary, KnowsNoCipherThatNoSuiteHas) {
  EXPECT_EQ(CipherPtr(EVP_CIPHER_fetch(library(), "AES-128-CBC", nullptr)), nullptr);
  EXPECT_EQ(CipherPtr(EVP_CIPHER_fetch(library(), "ARIA-128-GCM", nullptr)), nullptr);
}

TEST_P(HandshakeLibrary, HasOurKeyScheduleAndThatOfOpensslForTls12) {
  const KdfPtr ours(EVP_KDF_fetch(library(), OSSL_KDF_NAME_TLS1_3_KDF, nullptr));
  ASSERT_NE(ours, nullptr);
  EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_KDF_get0_provider(ours.get())), "fairlead");
  EXPECT_NE(KdfPtr(EVP_KDF_fetch(library(), OSSL_KDF_NAME_TLS1_PRF, nullptr)), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Roles, HandshakeLibrary, testing::Values(Side::server, Side::client),
                         [](const auto& role) { return role.param == Side::server ? "Server" : "Client"; });

// Whoever has set up FIPS or a token wants every key to be there.
TEST(HandshakeLibraryDeathTest, LeavesEverythingToProvidersThatSomebodyHasSetUp) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        OSSL_PROVIDER* const usual = OSSL_PROVIDER_load(nullptr, "default");
        OSSL_PROVIDER* const other = OSSL_PROVIDER_load(nullptr, "null");
        const bool left = handshake_library() == nullptr;
        OSSL_PROVIDER_unload(other);
        OSSL_PROVIDER_unload(usual);
        std::exit(left ? 0 : 1);  // NOLINT(concurrency-mt-unsafe)
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace fairlead::tls

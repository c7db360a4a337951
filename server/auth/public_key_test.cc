// SPDX-License-Identifier: Apache-2.0
#include "auth/tokens.h"
#include "auth/tokens_testing.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::server {
namespace {

using namespace token_testing;

using Key = std::unique_ptr<EVP_PKEY, decltype([](EVP_PKEY* key) { EVP_PKEY_free(key); })>;

Key read(const std::string& pem, bool secret) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  Key key(secret ? PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr)
                 : PEM_read_bio_PUBKEY(bio, nullptr, nullptr, nullptr));
  BIO_free(bio);
  return key;
}

// What `write` (an i2d_… of OpenSSL) makes.
template <class Write>
std::string der(Write write) {
  unsigned char* bytes = nullptr;
  const int size = write(&bytes);
  std::string result(bytes, bytes + std::max(size, 0));
  OPENSSL_free(bytes);
  return result;
}

std::string certificate_of(const Pair& pair) {
  const Key key = read(pair.secret_pem, true);
  X509* certificate = X509_new();
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 60);
  X509_set_pubkey(certificate, key.get());
  X509_sign(certificate, key.get(), EVP_sha256());
  std::string result = der([&](unsigned char** out) { return i2d_X509(certificate, out); });
  X509_free(certificate);
  return result;
}

// The lines of a PEM text between its first and its last.
std::string lines_of(const std::string& pem) {
  const std::size_t begin = pem.find('\n') + 1;
  return pem.substr(begin, pem.find("-----END") - begin);
}

std::string without(std::string text, std::string_view characters) {
  std::erase_if(text, [&](char c) { return characters.contains(c); });
  return text;
}

void is_no_secret(const std::string& key) {
  ASSERT_FALSE(key.empty());
  TokenSettings settings;
  settings.hmac_secret_key = key;
  EXPECT_FALSE(TokenVerifier::make(settings, {})) << key;
  EXPECT_FALSE(sign_token(Algorithm::hs256, key, "{}")) << key;
}

TEST(PublicKeys, WithoutTheirFrameAreNoSecrets) {
  for (const Pair& pair : {rsa_pair(), ec_pair(), ed_pair()}) {
    const std::string lines = lines_of(pair.public_pem);
    is_no_secret(lines);
    is_no_secret(without(lines, "\n"));
    is_no_secret(without(lines, "\n="));
    const Key key = read(pair.public_pem, false);
    const std::string info = der([&](unsigned char** out) { return i2d_PUBKEY(key.get(), out); });
    is_no_secret(info);
    is_no_secret(encoded(info));
  }
}

TEST(PublicKeys, OfOtherFormsAreNoSecrets) {
  const Key rsa = read(rsa_pair().public_pem, false);
  is_no_secret(encoded(der([&](unsigned char** out) { return i2d_PublicKey(rsa.get(), out); })));  // RSAPublicKey
  is_no_secret(encoded(certificate_of(rsa_pair())));
  is_no_secret(encoded(certificate_of(ec_pair())));
}

TEST(PublicKeys, OfSshAreNoSecrets) {
  const std::string ed25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIPHzTOfKPv1VCU1wfwzPKBdUBYyVuIhsTNSbEjF4UBmy";
  is_no_secret(ed25519);
  is_no_secret("ssh-ed25519 " + ed25519);
  is_no_secret("ssh-ed25519 " + ed25519 + " ada@example.org\n");
  is_no_secret(" ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB");
  is_no_secret("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABA");
  is_no_secret("ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY= ada");
  is_no_secret("sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t");
  is_no_secret(R"(command="ls" ssh-ed25519 )" + ed25519);
}

TEST(PublicKeys, AreNotSeenInSecretsThatRemindOfThem) {
  TokenSettings settings;
  const Key rsa = read(rsa_pair().public_pem, false);
  const std::string info = der([&](unsigned char** out) { return i2d_PUBKEY(rsa.get(), out); });
  for (const std::string& secret : {encoded(info.substr(0, info.size() - 1)), encoded(std::string(32, '0')),
                                    std::string("ssh-and-then-words-of-my-own"), std::string("MAA="),
                                    std::string("0123456789abcdef0123456789abcdef"), std::string("kty and BEGIN")}) {
    settings.hmac_secret_key = secret;
    EXPECT_TRUE(TokenVerifier::make(settings, {})) << secret;
  }
}

}  // namespace
}  // namespace fairlead::server

// SPDX-License-Identifier: Apache-2.0
#include "tls/key_share.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <vector>

#include "tls/handshake_library.h"
#include "tls/openssl.h"

namespace fairlead::tls {
namespace {

using Octets = std::vector<unsigned char>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using KeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX_free>>;

KeyContextPtr use(EVP_PKEY* key) {
  return KeyContextPtr(EVP_PKEY_CTX_new_from_pkey(handshake_library(), key, nullptr));
}

KeyPtr fresh_key() { return KeyPtr(EVP_PKEY_Q_keygen(handshake_library(), nullptr, "X25519")); }

KeyPtr public_key(const Octets& bytes) {
  return KeyPtr(EVP_PKEY_new_raw_public_key_ex(handshake_library(), "X25519", nullptr, bytes.data(), bytes.size()));
}

Octets public_bytes(const KeyPtr& key) {
  Octets bytes(32);
  std::size_t size = bytes.size();
  EXPECT_EQ(EVP_PKEY_get_raw_public_key(key.get(), bytes.data(), &size), 1);
  return bytes;
}

// The shared secret by OpenSSL's own Diffie-Hellman.
Octets derive(const KeyPtr& own, const Octets& peer) {
  const KeyPtr other = public_key(peer);
  const KeyContextPtr context = use(own.get());
  Octets secret(32);
  std::size_t size = secret.size();
  EXPECT_EQ(EVP_PKEY_derive_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_derive_set_peer(context.get(), other.get()), 1);
  EXPECT_EQ(EVP_PKEY_derive(context.get(), secret.data(), &size), 1);
  return secret;
}

struct Encapsulated {
  Octets share;  // what goes to the peer
  Octets secret;
};

std::optional<Encapsulated> encapsulate(const KeyPtr& peer) {
  const KeyContextPtr context = use(peer.get());
  Encapsulated made{.share = Octets(32), .secret = Octets(32)};
  std::size_t share = 0;
  std::size_t secret = 0;
  EXPECT_EQ(EVP_PKEY_encapsulate_init(context.get(), nullptr), 1);
  EXPECT_EQ(EVP_PKEY_encapsulate(context.get(), nullptr, &share, nullptr, &secret), 1);
  EXPECT_EQ(share, 32U);
  EXPECT_EQ(secret, 32U);
  if (EVP_PKEY_encapsulate(context.get(), made.share.data(), &share, made.secret.data(), &secret) == 1) return made;
  ERR_clear_error();
  return std::nullopt;
}

std::optional<Octets> decapsulate(const KeyPtr& own, const Octets& share) {
  const KeyContextPtr context = use(own.get());
  Octets secret(32);
  std::size_t size = 0;
  EXPECT_EQ(EVP_PKEY_decapsulate_init(context.get(), nullptr), 1);
  if (EVP_PKEY_decapsulate(context.get(), secret.data(), &size, share.data(), share.size()) == 1) return secret;
  ERR_clear_error();
  return std::nullopt;
}

class KeyShare : public testing::Test {
 protected:
  void SetUp() override {
    const KeyPtr key = handshake_library() != nullptr ? fresh_key() : nullptr;
    const KeyContextPtr context = key != nullptr ? use(key.get()) : nullptr;
    const bool ours = context != nullptr && EVP_PKEY_encapsulate_init(context.get(), nullptr) == 1;
    ERR_clear_error();
    if (!ours) GTEST_SKIP() << "OpenSSL keeps its own way";
  }
};

// RFC 7748 6.1, by way of OpenSSL's own multiplication.
TEST_F(KeyShare, MakesKeysWhosePublicPartFitsThePrivateOne) {
  for (int round = 0; round < 100; ++round) {
    const KeyPtr key = fresh_key();
    Octets secret(32);
    std::size_t size = secret.size();
    ASSERT_EQ(EVP_PKEY_get_raw_private_key(key.get(), secret.data(), &size), 1);
    const KeyPtr again(EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr, secret.data(), size));
    EXPECT_EQ(public_bytes(key), public_bytes(again));
    EXPECT_EQ(secret.front() & 7, 0);
    EXPECT_EQ(secret.back() & 0xc0, 0x40);
  }
}

TEST_F(KeyShare, MakesNoKeysOfAnotherGroup) {
  const KeyContextPtr context(EVP_PKEY_CTX_new_from_name(handshake_library(), "X25519", nullptr));
  EXPECT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_group_name(context.get(), "x25519"), 1);
  EXPECT_NE(EVP_PKEY_CTX_set_group_name(context.get(), "P-256"), 1);
  ERR_clear_error();
}

TEST_F(KeyShare, GivesThePeerWhatDiffieHellmanGives) {
  const KeyPtr peer = fresh_key();
  const auto made = encapsulate(peer);
  ASSERT_TRUE(made);
  EXPECT_EQ(derive(peer, made->share), made->secret);
}

TEST_F(KeyShare, TakesThePeersKeyAsDiffieHellmanDoes) {
  const KeyPtr own = fresh_key();
  const KeyPtr peer = fresh_key();
  EXPECT_EQ(decapsulate(own, public_bytes(peer)), derive(peer, public_bytes(own)));
}

TEST_F(KeyShare, AgreesWithItself) {
  const KeyPtr peer = fresh_key();
  const auto made = encapsulate(peer);
  ASSERT_TRUE(made);
  EXPECT_EQ(decapsulate(peer, made->share), made->secret);
}

TEST_F(KeyShare, IsAFreshKeyEachTime) {
  const KeyPtr peer = fresh_key();
  const KeyContextPtr context = use(peer.get());
  const auto first = encapsulate(peer);
  const auto second = encapsulate(peer);
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->share, second->share);
  EXPECT_NE(first->secret, second->secret);
}

// RFC 8446 7.4.2, RFC 7748 6.1: the all-zero secret is a reason to abort.
TEST_F(KeyShare, RefusesAKeyOfSmallOrder) {
  Octets one(32);
  one[0] = 1;
  for (const Octets& small : {Octets(32), one}) {
    EXPECT_EQ(encapsulate(public_key(small)), std::nullopt);
    EXPECT_EQ(decapsulate(fresh_key(), small), std::nullopt);
  }
}

TEST_F(KeyShare, RefusesAShareOfAnotherLength) {
  const KeyPtr own = fresh_key();
  for (const std::size_t size : {0U, 31U, 33U}) EXPECT_EQ(decapsulate(own, Octets(size, 9)), std::nullopt) << size;
}

}  // namespace
}  // namespace fairlead::tls

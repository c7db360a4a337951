// SPDX-License-Identifier: Apache-2.0
#include "tls/key_schedule.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <array>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tls/handshake_library.h"
#include "tls/openssl.h"
#include "tls/traffic_secrets.h"

namespace fairlead::tls {
namespace {

using KdfPtr = std::unique_ptr<EVP_KDF, Release<EVP_KDF_free>>;
using KdfContextPtr = std::unique_ptr<EVP_KDF_CTX, Release<EVP_KDF_CTX_free>>;
using Octets = std::vector<std::byte>;

Octets from_hex(const std::string& text) {
  long size = 0;
  unsigned char* bytes = OPENSSL_hexstr2buf(text.c_str(), &size);
  const auto* first = reinterpret_cast<const std::byte*>(bytes);  // NOLINT: bytes are bytes
  Octets out(first, first + size);
  OPENSSL_free(bytes);
  return out;
}

// What OpenSSL asks of a key schedule, and an answer.
struct Question {
  std::optional<int> mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  std::string digest = "SHA256";
  std::optional<Octets> key{};
  std::optional<Octets> salt{};
  std::string label = "derived";
  std::optional<Octets> data{};
  std::size_t size = 32;
};

OSSL_PARAM octets(const char* name, const void* data, std::size_t size) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<void*>(data), size);  // NOLINT: only read
}

// nullopt: refused.
std::optional<Octets> ask(OSSL_LIB_CTX* library, Question question) {
  const KdfPtr kdf(EVP_KDF_fetch(library, OSSL_KDF_NAME_TLS1_3_KDF, nullptr));
  const KdfContextPtr context(EVP_KDF_CTX_new(kdf.get()));
  std::vector<OSSL_PARAM> parameters;
  if (question.mode) parameters.push_back(OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &*question.mode));
  if (!question.digest.empty()) {
    parameters.push_back(OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, question.digest.data(), 0));
  }
  const auto add = [&](const char* name, const std::optional<Octets>& value) {
    if (value) parameters.push_back(octets(name, value->data(), value->size()));
  };
  add(OSSL_KDF_PARAM_KEY, question.key);
  add(OSSL_KDF_PARAM_SALT, question.salt);
  parameters.push_back(octets(OSSL_KDF_PARAM_PREFIX, "tls13 ", 6));
  parameters.push_back(octets(OSSL_KDF_PARAM_LABEL, question.label.data(), question.label.size()));
  add(OSSL_KDF_PARAM_DATA, question.data);
  parameters.push_back(OSSL_PARAM_construct_end());
  Octets out(question.size);
  auto* bytes = reinterpret_cast<unsigned char*>(out.data());  // NOLINT: bytes are bytes
  const bool derived = EVP_KDF_derive(context.get(), bytes, out.size(), parameters.data()) == 1;
  ERR_clear_error();
  if (!derived) return std::nullopt;
  return out;
}

class Random {
 public:
  Octets bytes(std::size_t size) {
    Octets out(size);
    for (std::byte& one : out) one = static_cast<std::byte>(engine_());
    return out;
  }
  std::size_t below(std::size_t limit) { return engine_() % limit; }

 private:
  std::mt19937 engine_{1};  // NOLINT: the same numbers in each run
};

// ── RFC 8448 3: the secrets of a simple handshake ───────────────────────────────────────────────────────────────────

TEST(KeySchedule, DerivesWhatTheTraceShows) {
  Question early{.mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY};
  const auto early_secret = ask(handshake_library(), early);
  ASSERT_TRUE(early_secret);
  EXPECT_EQ(*early_secret, from_hex("33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a"));
  Question handshake{.mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY,
                     .key = from_hex("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d"),
                     .salt = early_secret};
  EXPECT_EQ(ask(handshake_library(), handshake),
            from_hex("1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac"));
}

// ── Against OpenSSL's own ───────────────────────────────────────────────────────────────────────────────────────────

class KeyScheduleOf : public ::testing::TestWithParam<const char*> {
 protected:
  [[nodiscard]] std::size_t size() const { return std::string(GetParam()).ends_with("384") ? 48 : 32; }
};

TEST_P(KeyScheduleOf, ExpandsLikeOpenssl) {
  Random random;
  for (std::size_t round = 0; round < 300; ++round) {
    // Keys around the block of a hash, and outputs of several blocks, although no handshake has them.
    const Question question{.digest = GetParam(),
                            .key = random.bytes(1 + random.below(200)),
                            .label = std::string(1 + random.below(40), 'l'),
                            .data = round % 3 == 0 ? std::nullopt : std::optional(random.bytes(1 + random.below(64))),
                            .size = 1 + random.below(200)};
    const auto ours = ask(handshake_library(), question);
    ASSERT_TRUE(ours);
    ASSERT_EQ(ours, ask(nullptr, question));
  }
}

TEST_P(KeyScheduleOf, ExtractsLikeOpenssl) {
  Random random;
  for (std::size_t round = 0; round < 300; ++round) {
    const Question question{.mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY,
                            .digest = GetParam(),
                            .key = round % 4 == 0 ? std::nullopt : std::optional(random.bytes(1 + random.below(150))),
                            .salt = round % 3 == 0 ? std::nullopt : std::optional(random.bytes(size())),
                            .size = size()};
    const auto ours = ask(handshake_library(), question);
    ASSERT_TRUE(ours);
    ASSERT_EQ(ours, ask(nullptr, question));
  }
}

INSTANTIATE_TEST_SUITE_P(Hashes, KeyScheduleOf, ::testing::Values("SHA256", "SHA2-256", "SHA384", "SHA2-384"));

TEST(KeySchedule, RefusesWhatItCannotDerive) {
  const Octets key(32, std::byte{1});
  ASSERT_TRUE(ask(handshake_library(), {.key = key}));
  EXPECT_FALSE(ask(handshake_library(), {.mode = std::nullopt, .key = key}));
  EXPECT_FALSE(ask(handshake_library(), {.mode = EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND, .key = key}));
  EXPECT_FALSE(ask(handshake_library(), {.digest = "", .key = key}));
  EXPECT_FALSE(ask(handshake_library(), {.digest = "SHA1", .key = key}));
  EXPECT_FALSE(ask(handshake_library(), {.key = std::nullopt}));
  EXPECT_FALSE(ask(handshake_library(), {.mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY, .key = key, .size = 31}));
}

// RFC 8446 7.1: label and context have a length of one byte; RFC 5869 2.3: at most 255 blocks.
TEST(KeySchedule, RefusesWhatIsTooLong) {
  const Octets key(32, std::byte{1});
  EXPECT_TRUE(ask(handshake_library(), {.key = key, .label = std::string(249, 'l'), .data = Octets(255)}));
  EXPECT_FALSE(ask(handshake_library(), {.key = key, .label = std::string(250, 'l')}));
  EXPECT_FALSE(ask(handshake_library(), {.key = key, .data = Octets(256)}));
  const auto longest = ask(handshake_library(), {.key = key, .size = std::size_t{255} * 32});
  ASSERT_TRUE(longest);
  EXPECT_EQ(longest, ask(nullptr, {.key = key, .size = std::size_t{255} * 32}));
  EXPECT_FALSE(ask(handshake_library(), {.key = key, .size = std::size_t{255} * 32 + 1}));
}

// ── Who hears what ──────────────────────────────────────────────────────────────────────────────────────────────────

TEST(KeySchedule, TellsTheTrafficSecretsToWhoOverhears) {
  const Octets key(32, std::byte{1});
  TrafficSecrets outer;
  TrafficSecrets secrets;
  std::optional<Octets> client;
  std::optional<Octets> server;
  {
    const Overhearing first(&outer);
    const Overhearing second(&secrets);
    ASSERT_TRUE(ask(handshake_library(), {.key = key, .label = "c hs traffic"}));
    EXPECT_TRUE(secrets.client().empty());
    client = ask(handshake_library(), {.key = key, .label = "c ap traffic"});
    EXPECT_FALSE(secrets.complete());
    server = ask(handshake_library(), {.key = key, .label = "s ap traffic"});
  }
  ASSERT_TRUE(secrets.complete());
  EXPECT_TRUE(std::ranges::equal(secrets.client(), *client));
  EXPECT_TRUE(std::ranges::equal(secrets.server(), *server));
  EXPECT_TRUE(outer.client().empty());
  TrafficSecrets late;
  ASSERT_TRUE(ask(handshake_library(), {.key = key, .label = "c ap traffic"}));
  EXPECT_TRUE(late.client().empty());
}

}  // namespace
}  // namespace fairlead::tls

// SPDX-License-Identifier: Apache-2.0
// Keys and record protection against the traces of RFC 8448, and against a second implementation (EVP).
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tls/record/sealer.h"
#include "tls/record/testing.h"

namespace fairlead::tls::record {
namespace {

using testing::from_hex;

// RFC 8448 3, "Simple 1-RTT Handshake": TLS_AES_128_GCM_SHA256.
const std::string client_secret =
    from_hex("9e 40 64 6c e7 9a 7f 9d c0 5a f8 88 9b ce 65 52 87 5a fa 0b 06 df 00 87 f7 92 eb b7 c1 75 04 a5");
const std::string server_secret =
    from_hex("a1 1a f9 f0 55 31 f8 56 ad 47 11 6b 45 a9 50 32 82 04 b4 f4 4b fb 6b 3a 4b 4f 1f 3f cb 63 16 43");
const std::string client_record = from_hex(
    "17 03 03 00 43 a2 3f 70 54 b6 2c 94 d0 af fa fe 82 28 ba 55 cb ef ac ea 42 f9 14 aa 66 bc ab 3f 2b 98 19 a8 a5 b4"
    "6b 39 5b d5 4a 9a 20 44 1e 2b 62 97 4e 1f 5a 62 92 a2 97 70 14 bd 1e 3d ea e6 3a ee bb 21 69 49 15 e4");
const std::string server_record = from_hex(
    "17 03 03 00 43 2e 93 7e 11 ef 4a c7 40 e5 38 ad 36 00 5f c4 a4 69 32 fc 32 25 d0 5f 82 aa 1b 36 e3 0e fa f9 7d 90"
    "e6 df fc 60 2d cb 50 1a 59 a8 fc c4 9c 4b f2 e5 f0 a2 1c 00 47 c2 ab f3 32 54 0d d0 32 e1 67 c2 95 5d");
const std::string client_goodbye = from_hex("17 03 03 00 13 c9 87 27 60 65 56 66 b7 4d 7f f1 15 3e fd 6d b6 d0 b0 e3");
const std::string server_goodbye = from_hex("17 03 03 00 13 b5 8f d6 71 66 eb f5 99 d2 47 20 cf be 7e fa 7a 88 64 a9");
const std::string server_ticket = from_hex(
    "17 03 03 00 de 3a 6b 8f 90 41 4a 97 d6 95 9c 34 87 68 0d e5 13 4a 2b 24 0e 6c ff ac 11 6e 95 d4 1d 6a f8 f6 b5 80"
    "dc f3 d1 1d 63 c7 58 db 28 9a 01 59 40 25 2f 55 71 3e 06 1d c1 3e 07 88 91 a3 8e fb cf 57 53 ad 8e f1 70 ad 3c 73"
    "53 d1 6d 9d a7 73 b9 ca 7f 2b 9f a1 b6 c0 d4 a3 d0 3f 75 e0 9c 30 ba 1e 62 97 2a c4 6f 75 f7 b9 81 be 63 43 9b 29"
    "99 ce 13 06 46 15 13 98 91 d5 e4 c5 b4 06 f1 6e 3f c1 81 a7 7c a4 75 84 00 25 db 2f 0a 77 f8 1b 5a b0 5b 94 c0 13"
    "46 75 5f 69 23 2c 86 51 9d 86 cb ee ac 87 aa c3 47 d1 43 f9 60 5d 64 f6 50 db 4d 02 3e 70 e9 52 ca 49 fe 51 37 12"
    "1c 74 bc 26 97 68 7e 24 87 46 d6 df 35 30 05 f3 bc e1 86 96 12 9c 81 53 55 6b 3b 6c 67 79 b3 7b f1 59 85 68 4f");

// 00 01 … 31, which both ends send.
std::string fifty_bytes() {
  std::string text;
  for (char c = 0; c < 50; ++c) text.push_back(c);
  return text;
}

TEST(TrafficKeys, AreThoseOfRfc8448) {
  const TrafficKeys client(Suite::aes_128_gcm_sha256, as_bytes(client_secret));
  EXPECT_EQ(as_text(client.key()), from_hex("17 42 2d da 59 6e d5 d9 ac d8 90 e3 c6 3f 50 51"));
  EXPECT_EQ(as_text(client.nonce(0)), from_hex("5b 78 92 3d ee 08 57 90 33 e5 23 d9"));
  const TrafficKeys server(Suite::aes_128_gcm_sha256, as_bytes(server_secret));
  EXPECT_EQ(as_text(server.key()), from_hex("9f 02 28 3b 6c 9c 07 ef c2 6b b9 f2 ac 92 e3 56"));
  EXPECT_EQ(as_text(server.nonce(0)), from_hex("cf 78 2b 88 dd 83 54 9a ad f1 e9 84"));
}

TEST(TrafficKeys, TheSequenceNumberIsXoredIntoTheEndOfTheIv) {
  const TrafficKeys keys(Suite::aes_128_gcm_sha256, as_bytes(server_secret));
  EXPECT_EQ(as_text(keys.nonce(1)), from_hex("cf 78 2b 88 dd 83 54 9a ad f1 e9 85"));
  EXPECT_EQ(as_text(keys.nonce(0x0102030405060708)), from_hex("cf 78 2b 88 dc 81 57 9e a8 f7 ee 8c"));
}

TEST(Rfc8448, BothEndsSealWhatTheTraceShows) {
  testing::End client(Side::client, Suite::aes_128_gcm_sha256, server_secret, client_secret);
  client.send(fifty_bytes());
  EXPECT_EQ(client.take_output() + client.outgoing, client_record);
  client.outgoing.clear();
  client.close();
  EXPECT_EQ(client.outgoing, client_goodbye);
  // The server has sent one ticket under the same secret before.
  testing::End server(Side::server, Suite::aes_128_gcm_sha256, client_secret, server_secret, 0, 1);
  server.send(fifty_bytes());
  EXPECT_EQ(server.outgoing, server_record);
  server.outgoing.clear();
  server.close();
  EXPECT_EQ(server.outgoing, server_goodbye);
}

TEST(Rfc8448, BothEndsOpenWhatTheTraceShows) {
  testing::End client(Side::client, Suite::aes_128_gcm_sha256, server_secret, client_secret);
  client.receive(server_ticket + server_record + server_goodbye);
  EXPECT_FALSE(client.failed) << client.failed->detail;
  EXPECT_EQ(client.plaintext, fifty_bytes());
  EXPECT_TRUE(client.said_goodbye);
  testing::End server(Side::server, Suite::aes_128_gcm_sha256, client_secret, server_secret, 0, 1);
  server.receive(client_record + client_goodbye);
  EXPECT_EQ(server.plaintext, fifty_bytes());
  EXPECT_TRUE(server.said_goodbye);
}

// ── The fast path against EVP ───────────────────────────────────────────────────────────────────────────────────────

class FastPath : public ::testing::TestWithParam<Suite> {};
INSTANTIATE_TEST_SUITE_P(Suites, FastPath, ::testing::Values(Suite::aes_128_gcm_sha256, Suite::aes_256_gcm_sha384));

TEST_P(FastPath, SealsAndOpensAsEvpDoesAtEverySize) {
  if (!fast_gcm_available()) GTEST_SKIP() << "this machine has none";
  std::mt19937 random(5'116);
  const auto random_text = [&random](std::size_t size) {
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>(random());
    return text;
  };
  const std::string key = random_text(key_bytes(GetParam()));
  ExpandedKey fast;
  ExpandedKey evp_seal;
  ExpandedKey evp_open;
  fast.expand(GetParam(), Use::seal, as_bytes(key));
  evp_seal.expand_for_evp(GetParam(), Use::seal, as_bytes(key));
  evp_open.expand_for_evp(GetParam(), Use::open, as_bytes(key));
  for (std::size_t size = 0; size <= 16'384; size += size < 600 ? 1 : 397) {
    const std::string content = random_text(size);
    Nonce nonce{};
    std::ranges::copy(as_bytes(random_text(nonce.size())), nonce.begin());
    const std::string header = random_text(header_bytes);
    std::vector<std::byte> ours(size + 1 + tag_bytes);
    std::vector<std::byte> theirs(size + 1 + tag_bytes);
    fast.seal(nonce, as_bytes(header), as_bytes(content), std::byte{23}, ours.data());
    evp_seal.seal(nonce, as_bytes(header), as_bytes(content), std::byte{23}, theirs.data());
    ASSERT_EQ(ours, theirs) << size;
    std::vector<std::byte> opened(size + 1);
    ASSERT_TRUE(fast.open(nonce, as_bytes(header), theirs, opened.data())) << size;
    ASSERT_EQ(as_text(opened).substr(0, size), content);
    ASSERT_TRUE(evp_open.open(nonce, as_bytes(header), ours, opened.data())) << size;
    ours[random() % ours.size()] ^= std::byte{0x10};
    EXPECT_FALSE(fast.open(nonce, as_bytes(header), ours, opened.data()));
    EXPECT_FALSE(evp_open.open(nonce, as_bytes(header), ours, opened.data()));
    EXPECT_EQ(opened, std::vector<std::byte>(size + 1)) << "wiped";
  }
}

}  // namespace
}  // namespace fairlead::tls::record

// SPDX-License-Identifier: Apache-2.0
// The examples that the RFCs print, byte for byte.
#include "ws/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::ws {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the words of these tests
using ::testing::ElementsAre;

Seen compressed(Seen seen) {
  seen.compressed = true;
  return seen;
}

// RFC 6455 5.7

TEST(Rfc6455Examples, ASingleUnmaskedText) {
  Side client(Role::client);
  EXPECT_THAT(client.receive(from_hex("81 05 48 65 6c 6c 6f")), ElementsAre(text_message("Hello")));
}

TEST(Rfc6455Examples, ASingleMaskedText) {
  Side server(Role::server);
  EXPECT_THAT(server.receive(from_hex("81 85 37 fa 21 3d 7f 9f 4d 51 58")), ElementsAre(text_message("Hello")));
}

TEST(Rfc6455Examples, AFragmentedUnmaskedText) {
  Side client(Role::client);
  EXPECT_THAT(client.receive(from_hex("01 03 48 65 6c  80 02 6c 6f")), ElementsAre(text_message("Hello")));
}

TEST(Rfc6455Examples, AnUnmaskedPingAndItsMaskedPong) {
  Side client(Role::client);
  EXPECT_THAT(client.receive(from_hex("89 05 48 65 6c 6c 6f")), ElementsAre(ping_of("Hello")));
  const auto sent = client.sent();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].header.opcode, Opcode::pong);
  EXPECT_EQ(sent[0].payload, "Hello");
  Side server(Role::server);
  EXPECT_THAT(server.receive(from_hex("8a 85 37 fa 21 3d 7f 9f 4d 51 58")), ElementsAre(pong_of("Hello")));
}

TEST(Rfc6455Examples, BinaryOf256BytesAndOf64KiB) {
  Side client(Role::client);
  const std::string small(256, 'x');
  const std::string large(65536, 'y');
  EXPECT_THAT(client.receive(from_hex("82 7e 01 00") + small), ElementsAre(binary_message(small)));
  EXPECT_THAT(client.receive(from_hex("82 7f 00 00 00 00 00 01 00 00") + large), ElementsAre(binary_message(large)));
}

TEST(Rfc6455Examples, AServerWritesThemTheSameWay) {
  Side server(Role::server);
  ASSERT_EQ(server.connection.send(MessageKind::text, as_bytes("Hello"), server.now), Sent::accepted);
  EXPECT_EQ(server.output(), from_hex("81 05 48 65 6c 6c 6f"));
  const std::string large(65536, 'y');
  ASSERT_EQ(server.connection.send(MessageKind::binary, as_bytes(large), server.now), Sent::accepted);
  EXPECT_EQ(server.output(), from_hex("82 7f 00 00 00 00 00 01 00 00") + large);
}

// RFC 7692 7.2.3

TEST(Rfc7692Examples, OneCompressedBlock) {
  Side client(Role::client, {}, DeflateAgreement{});
  EXPECT_THAT(client.receive(from_hex("c1 07 f2 48 cd c9 c9 07 00")), ElementsAre(compressed(text_message("Hello"))));
}

TEST(Rfc7692Examples, CompressedAndFragmented) {
  Side client(Role::client, {}, DeflateAgreement{});
  EXPECT_THAT(client.receive(from_hex("41 03 f2 48 cd  80 04 c9 c9 07 00")),
              ElementsAre(compressed(text_message("Hello"))));
}

TEST(Rfc7692Examples, SharedWindow) {
  Side client(Role::client, {}, DeflateAgreement{});
  const auto hello = compressed(text_message("Hello"));
  EXPECT_THAT(client.receive(from_hex("c1 07 f2 48 cd c9 c9 07 00  c1 05 f2 00 11 00 00")), ElementsAre(hello, hello));
}

TEST(Rfc7692Examples, ABlockWithoutCompression) {
  Side client(Role::client, {}, DeflateAgreement{});
  EXPECT_THAT(client.receive(from_hex("c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00")),
              ElementsAre(compressed(text_message("Hello"))));
}

TEST(Rfc7692Examples, AFinalBlock) {
  Side client(Role::client, {}, DeflateAgreement{});
  const auto hello = compressed(text_message("Hello"));
  const std::string once = from_hex("c1 08 f3 48 cd c9 c9 07 00 00");
  EXPECT_THAT(client.receive(once + once), ElementsAre(hello, hello)) << "a final block does not end the connection";
}

TEST(Rfc7692Examples, TwoBlocksInOneMessage) {
  Side client(Role::client, {}, DeflateAgreement{});
  EXPECT_THAT(client.receive(from_hex("c1 0d f2 48 05 00 00 00 ff ff ca c9 c9 07 00")),
              ElementsAre(compressed(text_message("Hello"))));
}

TEST(Rfc7692Examples, AnEmptyMessageIsOneZeroByte) {
  Side client(Role::client, {}, DeflateAgreement{});
  EXPECT_THAT(client.receive(from_hex("c1 01 00")), ElementsAre(compressed(text_message(""))));
  Side server(Role::server, {}, DeflateAgreement{});
  for (int time = 0; time < 3; ++time) {
    ASSERT_EQ(server.connection.send(MessageKind::text, {}, server.now, Compress::always), Sent::accepted);
    EXPECT_EQ(server.output(), from_hex("c1 01 00"));
  }
}

}  // namespace
}  // namespace fairlead::ws

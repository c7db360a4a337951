// SPDX-License-Identifier: Apache-2.0
// Key shares that are no points of the curve, or not of its size, in both directions: RFC 8446 6 wants
// illegal_parameter.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tls/testing.h"

namespace fairlead::tls {
namespace {

using testing::Authority;
using ::testing::HasSubstr;
using testing::must_build;
using ::testing::Not;
using testing::Pair;

constexpr std::string_view illegal_parameter{"\x15\x03\x03\x00\x02\x02\x2f", 7};  // fatal, 47

std::string with_length(std::size_t bytes, const std::string& content) {
  std::string out;
  for (std::size_t left = bytes; left > 0; --left) {
    out += static_cast<char>((content.size() >> (8 * (left - 1))) & 0xffU);
  }
  return out + content;
}

std::string extension(std::string_view type, const std::string& content) {
  return std::string(type) + with_length(2, content);
}

// Of the client's hello: it has to be echoed.
std::string session_id_of(const std::string& hello) {
  constexpr std::size_t before = 5 + 4 + 2 + 32;  // headers of record and message, version, random
  return hello.substr(before + 1, static_cast<unsigned char>(hello.at(before)));
}

// RFC 8446 4.1.3, with `share` for X25519.
std::string server_hello(const std::string& client_hello, const std::string& share) {
  using namespace std::string_literals;
  const std::string extensions =
      extension("\x00\x2b"s, "\x03\x04"s) + extension("\x00\x33"s, "\x00\x1d"s + with_length(2, share));
  const std::string body = "\x03\x03"s + std::string(32, 'r') + with_length(1, session_id_of(client_hello)) +
                           "\x13\x01\x00"s + with_length(2, extensions);
  return "\x16\x03\x03"s + with_length(2, "\x02"s + with_length(3, body));
}

std::vector<std::string> bad_shares() {
  std::string one(32, '\0');
  one[0] = 1;
  return {std::string(32, '\0'), one, std::string(31, 'k'), std::string(33, 'k'), std::string(1, 'k')};
}

TEST(BadShare, OfAServerEndsTheHandshakeWithIllegalParameter) {
  const Authority authority;
  for (const RecordLayer layer : {RecordLayer::automatic, RecordLayer::openssl}) {
    for (const std::string& share : bad_shares()) {
      TlsClient options = authority.client();
      options.record_layer = layer;
      Pair pair(must_build(authority.server()), must_build(options));
      pair.client.settle();
      const std::string hello = std::exchange(pair.client.outgoing, {});
      pair.client.receive(server_hello(hello, share));
      EXPECT_EQ(pair.client.outgoing, illegal_parameter) << share.size();
      EXPECT_EQ(pair.client.failure().code, Errc::tls_handshake_failed);
      EXPECT_THAT(pair.client.failure().detail, Not(HasSubstr("the peer refused"))) << "it was us";
    }
  }
}

// The share stands last in the hello's extensions or not: it is found by its group and its length.
std::string with_share(std::string hello, std::string_view share) {
  using namespace std::string_literals;
  const std::size_t at = hello.find("\x00\x1d\x00\x20"s);
  EXPECT_NE(at, std::string::npos);
  return hello.replace(at + 4, share.size(), share);
}

TEST(BadShare, OfAClientEndsTheHandshakeWithIllegalParameter) {
  const Authority authority;
  for (const RecordLayer layer : {RecordLayer::automatic, RecordLayer::openssl}) {
    for (const std::string& share : bad_shares()) {
      if (share.size() != 32) continue;  // another length would be another hello
      Tls options = authority.server();
      options.record_layer = layer;
      Pair pair(must_build(options), must_build(authority.client()));
      pair.client.settle();
      pair.server.receive(with_share(std::exchange(pair.client.outgoing, {}), share));
      EXPECT_THAT(pair.server.outgoing, ::testing::EndsWith(std::string(illegal_parameter)));
      EXPECT_EQ(pair.server.failure().code, Errc::tls_handshake_failed);
      EXPECT_THAT(pair.server.failure().detail, Not(HasSubstr("the peer refused"))) << "it was us";
    }
  }
}

}  // namespace
}  // namespace fairlead::tls

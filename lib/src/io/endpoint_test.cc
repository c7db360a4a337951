// SPDX-License-Identifier: Apache-2.0
#include "io/endpoint.h"

#include <gtest/gtest.h>

#include <string>

namespace fairlead::io {
namespace {

TEST(ListenAddress, ReadsHostPortAndPaths) {
  struct Case {
    std::string_view text, host, path;
    int port;
  };
  for (const Case& c : {Case{"localhost:8443", "localhost", "", 8443},
                        {"[::1]:1", "::1", "", 1},
                        {":0", "", "", 0},
                        {"*:443", "", "", 443},
                        {"0.0.0.0:65535", "0.0.0.0", "", 65535},
                        {"unix:/run/x.sock", "", "/run/x.sock", 0}}) {
    const auto address = parse_listen_address(c.text);
    ASSERT_TRUE(address) << c.text;
    EXPECT_EQ(address->host, c.host) << c.text;
    EXPECT_EQ(address->port, c.port) << c.text;
    EXPECT_EQ(address->unix_path, c.path) << c.text;
  }
}

TEST(ListenAddress, RefusesWhatIsAmbiguousOrNoPort) {
  for (const char* text : {"", "localhost", "localhost:", "localhost:x", "localhost:65536", "localhost:-1", "::1:80",
                           "unix:", "localhost:80 "}) {
    EXPECT_FALSE(parse_listen_address(text)) << text;
  }
}

TEST(Endpoint, CountsIPv4ByAddressAndIPv6By64) {
  const auto key = [](std::string_view ip) { return Endpoint::ip(ip, 1)->count_key(); };
  EXPECT_EQ(key("192.0.2.1"), Endpoint::ip("192.0.2.1", 9)->count_key()) << "whatever the port";
  EXPECT_NE(key("192.0.2.1"), key("192.0.2.2"));
  EXPECT_EQ(key("2001:db8:0:1::1"), key("2001:db8:0:1:ffff::2")) << "the same /64";
  EXPECT_NE(key("2001:db8:0:1::1"), key("2001:db8:0:2::1"));
  EXPECT_EQ(key("::ffff:192.0.2.1"), key("192.0.2.1")) << "an IPv4-mapped address is its IPv4 address";
  EXPECT_EQ(Endpoint::unix_path("/x")->count_key(), "");
}

TEST(Endpoint, KnowsLoopback) {
  for (const char* ip : {"127.0.0.1", "127.9.9.9", "::1"}) EXPECT_TRUE(Endpoint::ip(ip, 1)->is_loopback()) << ip;
  for (const char* ip : {"128.0.0.1", "0.0.0.0", "::", "2001:db8::1"})
    EXPECT_FALSE(Endpoint::ip(ip, 1)->is_loopback()) << ip;
}

TEST(Endpoint, ShowsAMappedPeerAsItsIPv4Address) {
  const PeerAddress peer = Endpoint::ip("::ffff:192.0.2.7", 5)->peer_address();
  EXPECT_EQ(peer.ip, "192.0.2.7");
  EXPECT_EQ(peer.port, 5);
}

TEST(Endpoint, RefusesNamesAndLongPaths) {
  EXPECT_FALSE(Endpoint::ip("localhost", 1));
  EXPECT_FALSE(Endpoint::ip("", 1));
  EXPECT_TRUE(Endpoint::unix_path(std::string(107, 'a')));
  EXPECT_FALSE(Endpoint::unix_path(std::string(108, 'a')));
  EXPECT_FALSE(Endpoint::unix_path(""));
}

}  // namespace
}  // namespace fairlead::io

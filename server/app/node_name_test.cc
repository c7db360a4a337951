// SPDX-License-Identifier: Apache-2.0
#include "app/node_name.h"

#include <gtest/gtest.h>

namespace fairlead::server {
namespace {

TEST(NodeName, IsHostAndPortOfTheFirstListener) {
  ListenSettings listen;
  EXPECT_EQ(default_node_name("box", listen), "box:8443");
  listen.insecure_cleartext = {"127.0.0.1:8000"};
  EXPECT_EQ(default_node_name("box", listen), "box:8000");
  listen.secure = {"[::]:443", "localhost:9443"};
  EXPECT_EQ(default_node_name("box", listen), "box:443");
}

TEST(NodeName, IsTheHostAloneWhereThePortIsNotKnown) {
  ListenSettings listen;
  listen.secure = {"localhost:0"};
  EXPECT_EQ(default_node_name("box", listen), "box");
  listen.secure = {"unix:/run/fairlead.sock"};
  EXPECT_EQ(default_node_name("box", listen), "box:/run/fairlead.sock");
}

}  // namespace
}  // namespace fairlead::server

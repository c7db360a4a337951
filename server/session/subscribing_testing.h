// SPDX-License-Identifier: Apache-2.0
// A client of a world of its own that subscribes.
#pragma once

#include "session/session_testing.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::server::testing {

using Lines = std::vector<std::string>;

struct Subscribing : ::testing::Test {
  World world;
  std::unique_ptr<TestClient> made;
  TestClient& client() {
    if (!made) {
      made = std::make_unique<TestClient>(world);
      made->connect();
      made->log.clear();
    }
    return *made;
  }
  [[nodiscard]] std::string epoch(const std::string& channel) { return world.broker.top(channel).epoch; }
  SubscribeRequest since(std::uint64_t offset, const std::string& of_epoch) {
    SubscribeRequest request = to("news");
    request.recover = true;
    request.since = {offset, of_epoch};
    return request;
  }
  [[nodiscard]] std::string missed() {
    std::string text;
    for (const auto& one : client().last_subscribe_result().publications) text += one->data;
    return text;
  }
  [[nodiscard]] std::string why(std::uint64_t offset) {
    return world.trace.why({.client = client().session->client(), .user = "", .channel = "news", .offset = offset})
        .verdict;
  }
};

}  // namespace fairlead::server::testing

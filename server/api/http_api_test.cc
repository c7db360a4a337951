// SPDX-License-Identifier: Apache-2.0
// The API through a real server and a real client: what the sockets add to core_test.cc.
#include "api/http_api.h"

#include "api/testing/backend_server.h"
#include "api/testing/fake_control.h"
#include "api/testing/http_client_on_a_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

namespace fairlead::server {
namespace {

using testing::Arrival;
using testing::FakeControl;
using ::testing::HasSubstr;

class HttpApi : public ::testing::Test {
 protected:
  FakeControl control;
  Server server{[] {
    ServerOptions options;
    options.threads = 1;
    return options;
  }()};
  testing::HttpClientOnALoop client;
  std::string base;

  void SetUp() override {
    HttpApiSettings settings;
    settings.key = "secret";
    settings.max_body_bytes = 200'000;
    add_api(server, settings, control);
    add_metrics(server, control);
    add_health(server, control);
    const auto where = server.dangerously_listen_without_tls("127.0.0.1:0");
    ASSERT_TRUE(where) << to_string(where.error());
    ASSERT_TRUE(server.start());
    base = "http://127.0.0.1:" + std::to_string(where->port);
  }
  void TearDown() override { server.stop(); }

  HttpAnswer ask(const std::string& path, std::optional<std::string> post) {
    HttpExchange exchange;
    exchange.url = base + path;
    exchange.post = std::move(post);
    exchange.headers = {{"X-API-Key", "secret"}};
    exchange.timeout = std::chrono::milliseconds(10'000);
    Arrival<HttpAnswer> arrival;
    client.send(std::move(exchange), arrival.setter());
    return arrival.wait();
  }
};

TEST_F(HttpApi, MethodsAreServedBelowThePrefix) {
  const auto answer = ask("/api/publish", R"({"channel":"news","data":{"a":1}})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"result":{"offset":7,"epoch":"abcd"}})");
  EXPECT_EQ(ask("/api", R"({"method":"info"})").body, "{\"result\":{\"nodes\":[]}}\n");
  EXPECT_EQ(ask("/api/nothing", "{}").status, 404);
  EXPECT_EQ(ask("/api/info", std::nullopt).status, 405);
  EXPECT_EQ(ask("/api", std::nullopt).status, 405);
}

TEST_F(HttpApi, AnswersOfOtherThreadsArrive) {
  control.hold = true;
  Arrival<HttpAnswer> arrival;
  HttpExchange exchange;
  exchange.url = base + "/api/info?api_key=secret";
  exchange.post = "";
  exchange.timeout = std::chrono::milliseconds(10'000);
  client.send(std::move(exchange), arrival.setter());
  while (server.stats().http_requests == 0) std::this_thread::yield();
  while (arrival.count() == 0) {
    control.release();
    std::this_thread::yield();
  }
  EXPECT_EQ(arrival.wait().status, 200);
}

TEST_F(HttpApi, BodiesHaveTheirOwnLimit) {
  const std::string fits = R"({"channel":"n","data":")" + std::string(150'000, 'x') + R"("})";
  EXPECT_EQ(ask("/api/publish", fits).status, 200);
  EXPECT_EQ(ask("/api/publish", std::string(200'001, ' ')).status, 413);
}

TEST_F(HttpApi, DescriptionMetricsAndHealthAreServed) {
  EXPECT_THAT(ask("/api/openapi.json", std::nullopt).body, HasSubstr("\"openapi\": \"3.1.0\""));
  control.families = {counter("fairlead_connections_total", "Connections.", 3)};
  EXPECT_THAT(ask("/metrics", std::nullopt).body, HasSubstr("fairlead_connections_total 3\n"));
  EXPECT_EQ(ask("/metrics", "").status, 405);
  EXPECT_EQ(ask("/health", std::nullopt).status, 200);
  EXPECT_EQ(ask("/ready", std::nullopt).status, 200);
  control.is_ready = false;
  EXPECT_EQ(ask("/ready", std::nullopt).status, 503);
}

}  // namespace
}  // namespace fairlead::server

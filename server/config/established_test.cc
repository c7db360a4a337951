// SPDX-License-Identifier: Apache-2.0
// Files of the ecosystem's established server, section by section: they load unchanged, or say what is not there.
#include "config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::server::config {
namespace {

using testing::HasSubstr;

std::expected<Loaded, std::vector<Problem>> loaded(std::string text) {
  return read({.file = File{"config.json", std::move(text), Format::json}, .environment = {}, .overrides = {}});
}
std::string complaints(std::string text) {
  const auto result = loaded(std::move(text));
  std::string all;
  if (!result)
    for (const Problem& problem : result.error()) all += to_string(problem) + "\n";
  return all;
}

TEST(Established, AFileOfAChatLoadsUnchanged) {
  const auto result = loaded(R"({
    "client": {
      "allowed_origins": ["http://localhost:3000"],
      "token": {"hmac_secret_key": "bbe7d157-a253-4094-9759-06a8236543f9", "audience": "chat", "issuer": "backend"},
      "subscription_token": {"enabled": true, "hmac_secret_key": "another"},
      "allow_anonymous_connect_without_token": false,
      "subscribe_to_user_personal_channel": {"enabled": true, "personal_channel_namespace": "personal"},
      "proxy": {
        "connect": {"enabled": true, "endpoint": "http://localhost:3000/connect", "timeout": "2s",
                    "http_headers": ["Cookie", "Authorization"], "grpc_metadata": [],
                    "http": {"static_headers": {"X-From": "ws"}}},
        "refresh": {"enabled": true, "endpoint": "http://localhost:3000/refresh"}
      },
      "ping_interval": "25s", "pong_timeout": "8s", "channel_limit": 64, "queue_max_size": 1048576, "concurrency": 8
    },
    "channel": {
      "history_meta_ttl": "100h",
      "without_namespace": {"allow_subscribe_for_client": true, "presence": true},
      "proxy": {"subscribe": {"endpoint": "http://localhost:3000/subscribe"},
                "publish": {"endpoint": "http://localhost:3000/publish"}},
      "namespaces": [
        {"name": "personal", "allow_user_limited_channels": true, "force_recovery": true, "history_size": 300, "history_ttl": "10m"},
        {"name": "rooms", "subscribe_proxy_enabled": true, "publish_proxy_enabled": true, "publish_proxy_name": "special",
         "join_leave": true, "force_push_join_leave": true, "allowed_delta_types": ["fossil"], "delta_publish": true}
      ]
    },
    "rpc": {"proxy": {"endpoint": "http://localhost:3000/rpc"}, "without_namespace": {"proxy_enabled": true},
            "ping": {"enabled": true}},
    "proxies": [{"name": "special", "endpoint": "https://localhost:3000/publish", "include_connection_meta": true}],
    "http_api": {"key": "api-key"},
    "admin": {"enabled": true, "password": "pass", "secret": "sec"},
    "health": {"enabled": true}, "prometheus": {"enabled": true}, "uni_sse": {"enabled": true},
    "sse": {"enabled": true}, "http_stream": {"enabled": true}, "websocket": {"compression": true, "write_timeout": "2s"},
    "log": {"level": "debug"}, "engine": {"type": "memory"}, "node": {"name": "one"}, "shutdown": {"timeout": "20s"},
    "usage_stats": {"disabled": true}, "consumers": [], "grpc_api": {"enabled": false}
  })");
  ASSERT_TRUE(result) << testing::PrintToString(result.error().size());
  const Settings& s = result->settings;
  EXPECT_EQ(s.auth.token.hmac_secret_key, "bbe7d157-a253-4094-9759-06a8236543f9");
  EXPECT_TRUE(s.auth.subscription_token_enabled);
  EXPECT_TRUE(s.auth.connect_proxy_enabled);
  EXPECT_EQ(s.backend.connect.timeout, std::chrono::seconds(2));
  EXPECT_EQ(s.backend.connect.static_headers.at("X-From"), "ws");
  EXPECT_TRUE(s.auth.rpc.without_namespace.proxy_enabled);
  EXPECT_EQ(s.backend.named.at("default:rpc").endpoint, "http://localhost:3000/rpc");
  EXPECT_TRUE(s.auth.rpc.ping_enabled);
  EXPECT_EQ(s.backend.named.at("default:subscribe").endpoint, "http://localhost:3000/subscribe");
  EXPECT_TRUE(s.backend.named.at("special").include_connection_meta);
  EXPECT_EQ(s.channel.namespaces.at("rooms").history_meta_ttl, std::chrono::hours(100));
  EXPECT_FALSE(s.transport.sse.disabled);
  EXPECT_FALSE(s.transport.uni_sse.disabled);
  EXPECT_TRUE(s.transport.uni_websocket.disabled);
  EXPECT_EQ(s.drain, std::chrono::seconds(20));
  EXPECT_EQ(s.http_api.key, "api-key");
  std::vector<std::string> ignored;
  for (const Problem& note : result->notes) ignored.push_back(note.key);
  EXPECT_THAT(ignored, testing::IsSupersetOf({"client.concurrency", "admin.secret", "websocket.write_timeout",
                                              "consumers", "grpc_api", "usage_stats"}));
}

TEST(Established, WhatIsNotThereIsNamed) {
  EXPECT_THAT(complaints(R"({"consumers": [{"name": "k", "enabled": true, "type": "kafka"}]})"),
              HasSubstr("config.json: consumers is not supported: messages are not taken from queues"));
  EXPECT_THAT(complaints(R"({"http_server": {"port": 9000}})"), HasSubstr("listen.secure"));
  EXPECT_THAT(complaints(R"({"grpc_api": {"enabled": true}})"), HasSubstr("use the HTTP API"));
  EXPECT_THAT(complaints(R"({"client": {"user_id_http_header": "X-User"}})"), HasSubstr("no proof of identity"));
  EXPECT_THAT(complaints(R"({"channel": {"namespaces": [{"name": "ab", "subscription_type": "map"}]}})"),
              HasSubstr("channel.namespaces[0].subscription_type is not supported"));
  EXPECT_THAT(complaints(R"({"broker": {"enabled": true, "type": "nats"}})"), HasSubstr("engine.type"));
}

TEST(Established, WhatIsSwitchedOffMakesNoDifference) {
  EXPECT_EQ(complaints(R"({"broker": {"enabled": false, "type": "nats"}, "graphite": {"enabled": false, "port": 2003},
                           "opentelemetry": {"enabled": false}, "consumers": [{"name": "k", "enabled": false}],
                           "admin": {"insecure": false}, "http_api": {"error_mode": ""}})"),
            "");
}

}  // namespace
}  // namespace fairlead::server::config

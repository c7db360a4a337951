// SPDX-License-Identifier: Apache-2.0
// Files of the ecosystem's established server, section by section: they load unchanged, or say what is not there.
#include "config/assign.h"
#include "config/keys.h"
#include "config/load.h"
#include "config/print.h"
#include "config/writing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string_view>

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

// Every key of the sections that are served, each with another value than its default (a test below looks), and what is
// refused with the value that switches it off.
constexpr const char* everything = R"json({
  "client": {
    "proxy": {
      "connect": {"enabled": true, "endpoint": "http://b/connect", "timeout": "3s", "http_headers": ["Cookie"],
                  "grpc_metadata": ["x"], "binary_encoding": true, "include_connection_meta": true,
                  "http": {"tls": {"enabled": false}, "static_headers": {"X-A": "b"},
                           "status_to_code_transforms": [
                             {"status_code": 404, "to_error": {"code": 404, "message": "no", "temporary": true}},
                             {"status_code": 403, "to_disconnect": {"code": 4503, "reason": "go"}}]},
                  "grpc": {"tls": {"enabled": false}, "credentials_key": "", "credentials_value": "", "compression": false}},
      "refresh": {"enabled": true, "endpoint": "http://b/refresh"}},
    "allowed_origins": ["https://*.example"],
    "token": {"hmac_secret_key": "one", "hmac_previous_secret_key": "zero", "hmac_previous_secret_key_valid_until": 7,
              "rsa_public_key": "rsa", "ecdsa_public_key": "ecdsa", "jwks": {"tls": {"enabled": false}}, "jwks_public_endpoint": "https://keys/{{realm}}",
              "audience": "", "audience_regex": "chat-.*", "issuer": "", "issuer_regex": "https://sso/(?P<realm>a|b)",
              "user_id_claim": "uid"},
    "subscription_token": {"enabled": true, "hmac_secret_key": "two", "audience": "subs", "issuer": "sso"},
    "allow_anonymous_connect_without_token": true, "disallow_anonymous_connection_tokens": true,
    "ping_interval": "30s", "pong_timeout": "9s", "expired_close_delay": "26s", "expired_sub_close_delay": "27s",
    "stale_close_delay": "11s", "channel_limit": 64, "queue_max_size": 2097152, "presence_update_interval": "28s",
    "concurrency": 8, "channel_position_check_delay": "41s", "channel_position_max_time_lag": "0s",
    "connection_limit": 1000, "user_connection_limit": 5, "connection_rate_limit": 50, "connect_include_server_time": true,
    "history_max_publication_limit": 301, "recovery_max_publication_limit": 302,
    "insecure_skip_token_signature_verify": true, "user_id_http_header": "", "insecure": true,
    "subscribe_to_user_personal_channel": {"enabled": true, "personal_channel_namespace": "personal.v2",
                                           "single_connection": true},
    "connect_code_to_unidirectional_disconnect": {"enabled": false, "transforms": []}
  },
  "channel": {
    "proxy": {"subscribe": {"endpoint": "http://b/subscribe"}, "publish": {"endpoint": "http://b/publish"},
              "sub_refresh": {"endpoint": "http://b/sub_refresh"}, "subscribe_stream": {"endpoint": ""}},
    "without_namespace": {"presence": true},
    "namespaces": [
      {"name": "personal.v2", "presence": true},
      {"name": "all", "presence": true, "join_leave": true, "force_push_join_leave": true, "history_size": 10,
       "history_ttl": "60s", "history_meta_ttl": "48h", "force_positioning": true, "allow_positioning": true,
       "force_recovery": true, "allow_recovery": true, "force_recovery_mode": "cache", "auto_cache_recover": true,
       "delta_publish": true, "allowed_delta_types": ["fossil"], "allow_tags_filter": true,
       "allow_subscribe_for_client": true, "allow_subscribe_for_anonymous": true, "allow_publish_for_client": true,
       "allow_publish_for_subscriber": true, "allow_publish_for_anonymous": true, "allow_history_for_client": true,
       "allow_history_for_subscriber": true, "allow_history_for_anonymous": true, "allow_presence_for_client": true,
       "allow_presence_for_subscriber": true, "allow_presence_for_anonymous": true, "allow_user_limited_channels": true,
       "channel_regex": "^[a-z]+$", "publication_data_format": "json_object",
       "subscribe_proxy_enabled": true, "subscribe_proxy_name": "default", "publish_proxy_enabled": true,
       "publish_proxy_name": "special.v1", "sub_refresh_proxy_enabled": true, "sub_refresh_proxy_name": "default",
       "subscribe_stream_proxy_enabled": false, "subscribe_stream_proxy_name": "default",
       "subscribe_stream_proxy_bidirectional": false, "subscription_type": ""}],
    "history_meta_ttl": "100h", "max_length": 200, "private_prefix": "%", "namespace_boundary": "/",
    "user_boundary": "@", "user_separator": ";"
  },
  "rpc": {"proxy": {"endpoint": "http://b/rpc"},
          "without_namespace": {"proxy_enabled": true, "proxy_name": "special.v1"},
          "namespaces": [{"name": "users", "proxy_enabled": true, "proxy_name": "special.v1"}, {"name": "off"}],
          "ping": {"enabled": true, "method": "pong"}, "namespace_boundary": "/"},
  "proxies": [{"name": "special.v1", "endpoint": "https://b/special", "timeout": "500ms"}],
  "http_api": {"disabled": true, "handler_prefix": "/server-api", "key": "k", "error_mode": "transport", "external": true,
               "insecure": true}
})json";

TEST(Established, EveryKeyOfItsSectionsLoads) {
  EXPECT_EQ(complaints(everything), "");
  const auto result = loaded(everything);
  ASSERT_TRUE(result);
  const Settings& s = result->settings;
  EXPECT_EQ(s.backend.connect.status_to_code_transforms.size(), 2U);
  EXPECT_TRUE(s.backend.connect.binary_encoding && s.backend.connect.include_connection_meta);
  EXPECT_EQ(s.auth.token.user_id_claim, "uid");
  EXPECT_EQ(s.auth.token.hmac_previous_secret_key_valid_until, 7);
  EXPECT_EQ(s.session.recovery_max_publication_limit, 302U);
  EXPECT_TRUE(s.auth.personal_channel.single_connection);
  EXPECT_EQ(s.auth.rpc.namespaces.at("users").proxy_name, "special.v1");
  EXPECT_FALSE(s.auth.rpc.namespaces.at("off").proxy_enabled);
  EXPECT_EQ(s.auth.rpc.ping_method, "pong");
  EXPECT_EQ(s.auth.rpc.namespace_boundary, "/");
  EXPECT_EQ(s.channel.user_separator, ";");
  EXPECT_EQ(s.http_api.handler_prefix, "/server-api");
}

// A key that is read and forgotten would stay as it is without the file.
TEST(Established, EveryKeyOfItsSectionsArrives) {
  const auto result = loaded(everything);
  ASSERT_TRUE(result);
  Settings all = result->settings;
  Settings none;
  // Of this server alone, or excluded by another one that is there.
  const std::set<std::string_view> not_there{"client.commands_in_flight",
                                             "client.commands_per_second",
                                             "client.publishes_per_second",
                                             "client.subscribes_per_second",
                                             "client.rpcs_per_second",
                                             "client.user_publishes_per_second",
                                             "client.user_commands_per_second",
                                             "client.user_subscribes_per_second",
                                             "client.user_rpcs_per_second",
                                             "client.max_errors",
                                             "client.presence_ttl",
                                             "http_api.max_body_size",
                                             "client.token.audience",
                                             "client.token.issuer",
                                             "channel.publication_data_format"};
  // The elements' own fields are looked at in the elements; those of a proxy in one of them.
  const auto looked_at = [&](const std::string& path) {
    const bool of_proxy = path.find(".proxy.") != std::string::npos && !path.ends_with(".endpoint");
    const std::string_view last = std::string_view(path).substr(path.rfind('.') + 1);
    static const std::set<std::string_view> ours{
        "ed25519_public_key", "jwks_refresh", "leeway",           "emulated_headers", "ca_file",
        "signing_secret",     "retries",      "breaker_failures", "breaker_pause",    "connections"};
    const bool section = path.starts_with("client.") || path.starts_with("rpc.") || path.starts_with("http_api.") ||
                         (path.starts_with("channel.") && !path.starts_with("channel.without_namespace."));
    return section && !ours.contains(last) && !path.starts_with("client.subscription_token.") &&
           !not_there.contains(path) && (!of_proxy || path.starts_with("client.proxy.connect."));
  };
  std::size_t looked = 0;
  for (const Key& key : keys()) {
    if (!looked_at(key.path)) continue;
    ++looked;
    const auto text = [&](Settings& settings) { return toml_text(written(key.slot(settings), key.traits, true)); };
    EXPECT_NE(text(all), text(none)) << key.path;
  }
  EXPECT_GT(looked, 50U);
}

// Nothing of a namespace stays as it is without the file: a key that is read and forgotten would.
TEST(Established, EveryOptionOfANamespaceArrives) {
  const auto result = loaded(everything);
  ASSERT_TRUE(result);
  ChannelOptions all = result->settings.channel.namespaces.at("all");
  ChannelOptions none;
  const std::set<std::string_view> ours{"allow_channel_compaction",
                                        "keep_latest_publication",
                                        "slow_policy",
                                        "slow_queue_messages",
                                        "slow_sample_per_second",
                                        "conflate_tag",
                                        "state_events",
                                        "subscribe_proxy_name",
                                        "sub_refresh_proxy_name"};
  for (const auto& one : channel_fields()) {
    if (ours.contains(one.name)) continue;
    const auto text = [&](ChannelOptions& options) { return toml_text(written(one.slot(options), one.traits, true)); };
    EXPECT_NE(text(all), text(none)) << one.name;
  }
}

// "To disable sending app-level pings use -1. To disable pong checks use -1."
TEST(Established, PingsAndTheirAnswersAreSwitchedOffByMinusOne) {
  for (const char* off : {"-1", "\"-1\"", "\"-1s\"", "\"-1ms\""}) {
    const std::string text = off;
    const auto neither = loaded(R"({"client": {"ping_interval": )" + text + "}}");
    ASSERT_TRUE(neither) << off << complaints(R"({"client": {"ping_interval": )" + text + "}}");
    EXPECT_LT(neither->settings.session.ping_interval.count(), 0) << off;
    const auto unanswered = loaded(R"({"client": {"ping_interval": "30s", "pong_timeout": )" + text + "}}");
    ASSERT_TRUE(unanswered) << off;
    EXPECT_EQ(unanswered->settings.session.ping_interval, std::chrono::seconds(30));
    EXPECT_LT(unanswered->settings.session.pong_timeout.count(), 0) << off;
    const auto both = loaded(R"({"client": {"ping_interval": )" + text + R"(, "pong_timeout": )" + text + "}}");
    EXPECT_TRUE(both) << off;
  }
}

TEST(Established, WhatIsSwitchedOffIsPrintedSoThatItLoadsAgain) {
  const auto first = loaded(R"({"client": {"ping_interval": -1, "pong_timeout": "-1s"}})");
  ASSERT_TRUE(first);
  const auto again = loaded(print(first->settings, {.format = Format::json, .with_secrets = true}));
  ASSERT_TRUE(again);
  EXPECT_TRUE(diff(first->settings, again->settings).empty());
}

TEST(Established, NothingElseIsEverNegative) {
  for (const char* key : {"stale_close_delay", "presence_ttl", "expired_close_delay"}) {
    for (const char* value : {"-1", "\"-1\"", "\"-5s\""}) {
      EXPECT_THAT(complaints(R"({"client": {")" + std::string(key) + "\": " + value + "}}"),
                  HasSubstr("client." + std::string(key) + " must not be negative"));
    }
  }
  EXPECT_THAT(complaints(R"({"client": {"ping_interval": "-x"}})"), HasSubstr("must be a duration"));
  EXPECT_THAT(complaints(R"({"client": {"ping_interval": 0}})"), HasSubstr("at least 100ms"));
}

TEST(Established, TheFormatOfPublicationsIsHandedDownToWhoSaysNothing) {
  const auto result = loaded(R"({"channel": {"publication_data_format": "json_object", "namespaces": [
    {"name": "own", "publication_data_format": "binary"}, {"name": "unset", "publication_data_format": ""}, {"name": "none"}]}})");
  ASSERT_TRUE(result);
  const ChannelSettings& channel = result->settings.channel;
  EXPECT_EQ(channel.without_namespace.publication_data_format, "json_object");
  EXPECT_EQ(channel.namespaces.at("own").publication_data_format, "binary");
  EXPECT_EQ(channel.namespaces.at("unset").publication_data_format, "json_object");
  EXPECT_EQ(channel.namespaces.at("none").publication_data_format, "json_object");
}

TEST(Established, WhatIsNotThereIsNamed) {
  EXPECT_THAT(complaints(R"({"consumers": [{"name": "k", "enabled": true, "type": "kafka"}]})"),
              HasSubstr("config.json: consumers is not supported: messages are not taken from queues"));
  EXPECT_THAT(complaints(R"({"http_server": {"port": 9000}})"), HasSubstr("listen.secure"));
  EXPECT_THAT(complaints(R"({"grpc_api": {"enabled": true}})"), HasSubstr("use the HTTP API"));
  EXPECT_THAT(complaints(R"({"client": {"user_id_http_header": "X-User"}})"), HasSubstr("no proof of identity"));
  EXPECT_THAT(complaints(R"({"client": {"token": {"jwks": {"tls": {"enabled": true}}}}})"),
              HasSubstr("client.token.jwks is not supported"));
  EXPECT_THAT(complaints(R"({"channel": {"namespaces": [{"name": "ab", "subscription_type": "map"}]}})"),
              HasSubstr("channel.namespaces[0].subscription_type is not supported"));
  EXPECT_THAT(complaints(R"({"broker": {"enabled": true, "type": "nats"}})"), HasSubstr("engine.type"));
  EXPECT_THAT(complaints(R"({"client": {"proxy": {"connect": {"http": {"tls": {"enabled": true}}}}}})"),
              HasSubstr("client.proxy.connect.http.tls.enabled is not supported: write http.tls.ca_file"));
  EXPECT_THAT(
      complaints(R"({"proxies": [{"name": "ab", "endpoint": "http://b", "http": {"tls": {"cert_pem": "x"}}}]})"),
      HasSubstr("proxies[0].http.tls.cert_pem is not supported"));
}

TEST(Established, WhatIsSwitchedOffMakesNoDifference) {
  EXPECT_EQ(complaints(R"({"broker": {"enabled": false, "type": "nats"}, "graphite": {"enabled": false, "port": 2003},
                           "opentelemetry": {"enabled": false}, "consumers": [{"name": "k", "enabled": false}],
                           "admin": {"insecure": false}, "http_api": {"error_mode": ""}})"),
            "");
}

}  // namespace
}  // namespace fairlead::server::config
